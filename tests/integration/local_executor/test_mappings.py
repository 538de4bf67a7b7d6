"""Queues that feed functions."""

from __future__ import annotations

import json
import time

import pytest

from tests.integration.local_executor.cloud import Cloud, overlap, queue_arn, until

pytestmark = pytest.mark.needs_cloud
HOLD = """
    import time
    def handler(event, context):
        start = time.time()
        time.sleep(0.3)
        for r in event["Records"]:
            record(body=r["body"], start=start, end=time.time())
"""


def test_messages_run_side_by_side_when_the_mapping_allows_four(cloud: Cloud) -> None:
    function = cloud.function("""
        import os, pathlib, time
        def handler(event, context):
            # Returns only once all four are here, which takes four at a time.
            here = pathlib.Path(os.environ["RECORDS"], "here")
            here.mkdir(exist_ok=True)
            (here / event["Records"][0]["messageId"]).touch()
            while len(list(here.iterdir())) < 4:
                time.sleep(0.01)
            record(done=True)
    """)
    queue = cloud.queue()
    cloud.map(queue, function, 4)
    cloud.send(queue, "abcd")
    assert len(cloud.await_records(function, 4)) == 4
    until(lambda: cloud.counts(queue) == (0, 0))


def test_never_more_than_two_run_when_the_mapping_allows_two(cloud: Cloud) -> None:
    function, queue = cloud.function(HOLD), cloud.queue()
    cloud.send(queue, "abcdefgh")
    cloud.map(queue, function, 2)
    records = cloud.await_records(function, 8)
    assert sorted(r["body"] for r in records) == list("abcdefgh")
    assert overlap(records) == 2
    assert len({r["pid"] for r in records}) == 2, "two processes, each used again"


def test_messages_stay_visible_when_they_cannot_be_started(cloud: Cloud) -> None:
    function = cloud.function("""
        import os, pathlib, time
        def handler(event, context):
            record(got=event["Records"][0]["body"])
            while not pathlib.Path(os.environ["RECORDS"], "go").exists():
                time.sleep(0.01)
    """)
    queue = cloud.queue()
    cloud.map(queue, function, 2)
    cloud.send(queue, "abcde")
    cloud.await_records(function, 2)
    assert cloud.counts(queue) == (3, 2)
    (cloud._records / function / "go").touch()
    until(lambda: cloud.counts(queue) == (0, 0))


def test_message_arrives_at_once_when_the_mapping_is_idle(cloud: Cloud) -> None:
    function = cloud.function("""
        import time
        def handler(event, context):
            record(late_s=time.time() - float(event["Records"][0]["body"]))
    """)
    queue = cloud.queue()
    cloud.map(queue, function)
    for count in range(1, 10):
        cloud.send(queue, [repr(time.time())])
        cloud.await_records(function, count)
    late_s = sorted(r["late_s"] for r in cloud.records(function))
    # The quarter of them, as the machine may be busy; a poller that sleeps would miss it by far.
    assert late_s[2] < 0.1, late_s


def test_only_the_failed_items_come_back_when_a_batch_fails_in_part(cloud: Cloud) -> None:
    function = cloud.function("""
        def handler(event, context):
            failed = []
            for r in event["Records"]:
                count = int(r["attributes"]["ApproximateReceiveCount"])
                record(body=r["body"], count=count, batch=len(event["Records"]))
                if r["body"] in ("b", "d") and count == 1:
                    failed.append({"itemIdentifier": r["messageId"]})
            return {"batchItemFailures": failed}
    """)
    cloud.invoke(function, {"Records": []})  # its start is no part of the time they are hidden
    queue = cloud.queue(VisibilityTimeout="5")
    cloud.send(queue, "abcde")
    cloud.map(queue, function, BatchSize=10, FunctionResponseTypes=["ReportBatchItemFailures"])
    until(lambda: cloud.counts(queue) == (0, 0) and len(cloud.records(function)) >= 7)
    seen = sorted((r["body"], r["count"]) for r in cloud.records(function))
    assert seen == [("a", 1), ("b", 1), ("b", 2), ("c", 1), ("d", 1), ("d", 2), ("e", 1)]
    assert max(r["batch"] for r in cloud.records(function)) == 5


def test_message_moves_to_the_dead_letter_queue_when_the_function_keeps_failing(
    cloud: Cloud,
) -> None:
    function = cloud.function("""
        import time
        def handler(event, context):
            if event["Records"]:
                record(at=time.time())
                raise RuntimeError("always")
    """)
    cloud.invoke(function, {"Records": []})  # its start is no part of the time it is hidden
    dead = cloud.queue()
    policy = {"deadLetterTargetArn": queue_arn(dead), "maxReceiveCount": 2}
    queue = cloud.queue(VisibilityTimeout="4", RedrivePolicy=json.dumps(policy))
    cloud.map(queue, function)
    cloud.send(queue, ["poison"])
    until(lambda: cloud.counts(dead) == (1, 0))
    first, second = sorted(r["at"] for r in cloud.records(function))
    assert second - first >= 3.0, "hidden for the queue's visibility timeout"


def test_order_holds_in_each_group_when_groups_run_side_by_side(cloud: Cloud) -> None:
    function = cloud.function("""
        import time
        def handler(event, context):
            for r in event["Records"]:
                start = time.time()
                time.sleep(0.1)
                group = r["attributes"]["MessageGroupId"]
                record(group=group, number=int(r["body"]), start=start, end=time.time())
    """)
    queue = cloud.queue(fifo=True, DeduplicationScope="messageGroup")
    for number in range(4):
        for group in "xyz":
            cloud.send(queue, [str(number)], MessageGroupId=group)
    cloud.map(queue, function, 10)
    records = cloud.await_records(function, 12)
    for group in "xyz":
        mine = sorted((r for r in records if r["group"] == group), key=lambda r: r["start"])
        assert [r["number"] for r in mine] == [0, 1, 2, 3]
        assert overlap(mine) == 1
    assert overlap(records) > 1, "different groups do not wait for each other"


def test_group_is_retried_when_a_message_of_another_group_is_still_hidden(cloud: Cloud) -> None:
    queue = cloud.queue(fifo=True)
    cloud.send(queue, ["slow"], MessageGroupId="a")
    cloud.send(queue, ["failed", "after it"], MessageGroupId="b")

    def receive(hidden_s: int) -> list[str]:
        found = cloud.sqs.receive_message(
            QueueUrl=queue, VisibilityTimeout=hidden_s, MaxNumberOfMessages=1
        )
        return [message["Body"] for message in found.get("Messages", [])]

    assert receive(60) == ["slow"]
    assert receive(4) == ["failed"]
    assert receive(4) == [], "the second of the group waits for the first"
    until(lambda: receive(4) == ["failed"])


def test_body_is_passed_as_it_was_sent_when_it_is_json(cloud: Cloud) -> None:
    function = cloud.function("def handler(event, context): record(event=event)")
    queue = cloud.queue()
    cloud.map(queue, function)
    bodies = ['{"a":   1.0, "ž": "\\u017e"}', '"quoted"', "plain", "12"]
    for body in bodies:
        cloud.sqs.send_message(
            QueueUrl=queue,
            MessageBody=body,
            MessageAttributes={"k": {"DataType": "String", "StringValue": "v"}},
        )
    events = [r["event"]["Records"][0] for r in cloud.await_records(function, 4)]
    assert sorted(event["body"] for event in events) == sorted(bodies)
    for event in events:
        assert event["eventSource"] == "aws:sqs"
        assert event["eventSourceARN"] == queue_arn(queue)
        assert event["awsRegion"] == "us-east-1"
        assert event["messageAttributes"]["k"]["stringValue"] == "v"
        assert event["attributes"]["ApproximateReceiveCount"] == "1"


def test_only_wanted_messages_run_when_the_mapping_filters(cloud: Cloud) -> None:
    function = cloud.function("""
        def handler(event, context):
            record(bodies=[r["body"] for r in event["Records"]])
    """)
    queue = cloud.queue()
    pattern = json.dumps({"body": {"kind": ["video"]}})
    cloud.send(queue, ['{"kind":"audio"}', '{"kind":  "video"}', "text"])
    cloud.map(queue, function, BatchSize=10, FilterCriteria={"Filters": [{"Pattern": pattern}]})
    assert cloud.await_records(function, 1)[0]["bodies"] == ['{"kind":  "video"}']
    until(lambda: cloud.counts(queue) == (0, 0))
    assert len(cloud.records(function)) == 1


def test_batch_is_gathered_when_the_mapping_has_a_window(cloud: Cloud) -> None:
    function = cloud.function("""
        def handler(event, context):
            record(bodies=sorted(r["body"] for r in event["Records"]))
    """)
    queue = cloud.queue()
    cloud.map(queue, function, BatchSize=3, MaximumBatchingWindowInSeconds=60)
    started_s = time.monotonic()
    cloud.send(queue, "abc")
    assert cloud.await_records(function, 1)[0]["bodies"] == ["a", "b", "c"]
    assert time.monotonic() - started_s < 50, "a full batch does not wait for the window's end"


def test_mapping_takes_no_more_messages_when_it_is_deleted(cloud: Cloud) -> None:
    function = cloud.function("""
        import os, pathlib, time
        def handler(event, context):
            record(body=event["Records"][0]["body"])
            while not pathlib.Path(os.environ["RECORDS"], "go").exists():
                time.sleep(0.01)
    """)
    queue = cloud.queue()
    mapping = cloud.map(queue, function, 2)
    cloud.send(queue, ["running"])
    cloud.await_records(function, 1)
    started_s = time.monotonic()
    cloud.awslambda.delete_event_source_mapping(UUID=mapping)
    until(lambda: cloud.mapping_state(mapping) == "")
    assert time.monotonic() - started_s < 15, "the function would run for 20 s"
    cloud.send(queue, ["left alone"])
    (cloud._records / function / "go").touch()
    until(lambda: cloud.counts(queue) == (1, 0))  # the running one is finished and deleted
    assert [r["body"] for r in cloud.records(function)] == ["running"]
