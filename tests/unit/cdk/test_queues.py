"""Queues, dead letters, alarms, and the mappings that drain them."""

from __future__ import annotations

from typing import Any

from cdk.functions import FUNCTIONS, Queue
from tests.unit.cdk.support import Synthesis, as_list

FED = {spec.name: spec for spec in FUNCTIONS if spec.queue}


Queues = dict[str, dict[str, Any]]


def _split(template: Synthesis) -> tuple[Queues, Queues]:
    queues = template.named("AWS::SQS::Queue", "QueueName")
    dead = {name: item for name, item in queues.items() if "-dlq" in name}
    return {name: item for name, item in queues.items() if name not in dead}, dead


def test_every_queue_has_its_own_dead_letter_queue_when_synthesised(template: Synthesis) -> None:
    queues, dead = _split(template)
    targets = []
    for name, item in queues.items():
        policy = item["RedrivePolicy"]
        target = template.readable(policy["deadLetterTargetArn"])
        assert target == name.replace(".fifo", "") + "-dlq" + (".fifo" if "fifo" in name else "")
        assert policy["maxReceiveCount"] == 5
        targets.append(target)
    assert sorted(targets) == sorted(dead)
    assert len(queues) == len(FED) == 6


def test_a_message_is_hidden_six_timeouts_long_when_received(template: Synthesis) -> None:
    queues, _ = _split(template)
    hidden = {name.split("-")[1].split(".")[0]: item for name, item in queues.items()}
    standard = {name: spec for name, spec in FED.items() if spec.queue and not spec.queue.fifo}
    assert len(standard) == 5
    for name, spec in standard.items():
        assert hidden[name]["VisibilityTimeout"] == 6 * spec.timeout_s, name


def test_a_group_waits_no_longer_than_one_timeout_when_its_function_was_killed(
    template: Synthesis,
) -> None:
    queues, _ = _split(template)
    assert queues["millrace-publish.fifo"]["VisibilityTimeout"] == FED["publish"].timeout_s


def test_dead_letters_wait_two_weeks_when_nobody_looks(template: Synthesis) -> None:
    _, dead = _split(template)
    kept = {item["MessageRetentionPeriod"] for item in dead.values()}
    assert kept == {14 * 24 * 3600}


def test_publish_keeps_order_and_every_message_when_two_are_equal(template: Synthesis) -> None:
    publish = template.named("AWS::SQS::Queue", "QueueName")["millrace-publish.fifo"]
    assert publish["FifoQueue"] is True
    assert "ContentBasedDeduplication" not in publish
    assert publish["FifoThroughputLimit"] == "perMessageGroupId"


def test_queues_are_encrypted_and_refuse_plain_http_when_synthesised(template: Synthesis) -> None:
    queues = template.resources("AWS::SQS::Queue")
    assert all(item["Properties"]["SqsManagedSseEnabled"] for item in queues.values())
    protected = set()
    for policy in template.resources("AWS::SQS::QueuePolicy").values():
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            if statement["Effect"] == "Deny":
                assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
                protected |= {queue["Ref"] for queue in policy["Properties"]["Queues"]}
    assert protected == set(queues)


def test_an_alarm_rings_when_a_queue_has_a_dead_letter(template: Synthesis) -> None:
    """By the product's own count: the dead-letter queue keeps copies of what was redriven."""
    watched = []
    alarms = template.named("AWS::CloudWatch::Alarm", "AlarmName").items()
    for alarm in [alarm for name, alarm in alarms if name.endswith("-dead-letters")]:
        assert (alarm["Namespace"], alarm["MetricName"]) == ("Millrace", "DeadLetters")
        assert alarm["Threshold"] == 1
        assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
        assert alarm["TreatMissingData"] == "notBreaching"
        dimensions = {each["Name"]: each["Value"] for each in alarm["Dimensions"]}
        watched.append(dimensions["queue"])
    assert sorted(watched) == sorted(FED)


def test_mappings_report_partial_failures_and_limit_concurrency_when_synthesised(
    template: Synthesis,
) -> None:
    found = {}
    for mapping in template.resources("AWS::Lambda::EventSourceMapping").values():
        item = mapping["Properties"]
        assert item["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        function = template.readable(item["FunctionName"]).removeprefix("millrace-")
        source = template.readable(item["EventSourceArn"])
        assert source.removeprefix("millrace-").removesuffix(".fifo") == function
        found[function] = Queue(
            batch_size=item["BatchSize"],
            max_concurrency=item["ScalingConfig"]["MaximumConcurrency"],
            fifo=source.endswith(".fifo"),
        )
    assert found == {name: spec.queue for name, spec in FED.items()}


def test_only_the_uploads_bucket_may_write_to_ingest_when_objects_arrive(
    template: Synthesis,
) -> None:
    allowed = [
        (template.readable(resource), statement)
        for policy in template.resources("AWS::SQS::QueuePolicy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        for resource in as_list(statement["Resource"])
        if statement["Effect"] == "Allow"
    ]
    ((queue, statement),) = allowed
    assert queue == "millrace-ingest"
    assert statement["Action"] == "sqs:SendMessage"
    assert statement["Principal"] == {"Service": "s3.amazonaws.com"}
    source = template.readable(statement["Condition"]["ArnEquals"]["aws:SourceArn"])
    assert source == "arn:AWS::Partition:s3:::millrace-uploads-AWS::AccountId-AWS::Region"
    assert statement["Condition"]["StringEquals"] == {
        "aws:SourceAccount": {"Ref": "AWS::AccountId"}
    }


def test_events_are_encrypted_and_topics_refuse_plain_http_when_synthesised(
    template: Synthesis,
) -> None:
    topics = template.named("AWS::SNS::Topic", "TopicName")
    assert set(topics) == {"millrace-events", "millrace-alarms"}
    assert "alias/aws/sns" in template.readable(topics["millrace-events"]["KmsMasterKeyId"])
    policies = template.resources("AWS::SNS::TopicPolicy").values()
    assert len(policies) == len(topics)
    for policy in policies:
        statements = policy["Properties"]["PolicyDocument"]["Statement"]
        (denied,) = (each for each in statements if each["Effect"] == "Deny")
        assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
