from __future__ import annotations

import pytest

from local.persistence.requests import changes


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("iam", "CreateRole"),
        ("sqs", "CreateQueue"),
        ("sqs", "SetQueueAttributes"),
        ("lambda", "UpdateFunctionCode"),
        ("lambda", "GetFunction"),
        ("cloudformation", "ExecuteChangeSet"),
        ("cloudformation", "DescribeStacks"),
        ("events", "PutTargets"),
        ("logs", "CreateLogGroup"),
    ],
)
def test_answer_waits_for_the_disk_when_something_may_have_changed(
    service: str, operation: str
) -> None:
    assert changes(service, operation)


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("iam", "GetRole"),
        ("sqs", "ReceiveMessage"),
        ("sqs", "SendMessage"),
        ("lambda", "Invoke"),
        ("logs", "PutLogEvents"),
        ("s3", "PutObject"),
        ("dynamodb", "PutItem"),
        ("events", "PutEvents"),
    ],
)
def test_answer_goes_out_at_once_when_nothing_has_to_be_saved(service: str, operation: str) -> None:
    assert not changes(service, operation)
