"""Which requests change what a service knows, and how long their answer has to wait for it."""

from __future__ import annotations

_READS = (
    "Get", "List", "Describe", "Head", "Batch", "Query", "Scan", "Select", "Filter", "Test",
    "Validate", "Receive", "Lookup", "Search", "Assume", "Decode", "Encrypt", "Decrypt",
    "GenerateData", "Sign", "Verify", "Estimate", "Preview", "Simulate", "Detect", "Check",
)  # fmt: skip
_MESSAGES = {
    "SendMessage", "SendMessageBatch", "DeleteMessage", "DeleteMessageBatch", "PurgeQueue",
    "ChangeMessageVisibility", "ChangeMessageVisibilityBatch",
}  # fmt: skip
_WITHOUT_STATE = {
    "lambda": {"Invoke", "InvokeAsync", "InvokeWithResponseStream"},
    "logs": {"PutLogEvents"},
    "cloudwatch": {"PutMetricData"},
    "events": {"PutEvents"},
    "sns": {"Publish", "PublishBatch"},
    "sqs": _MESSAGES,  # messages have their own journal
}
_KEEP_THEMSELVES = {"s3", "dynamodb"}
_READS_THAT_TELL = {
    # Deployments and functions go on in the background: who has read that they are finished may
    # rely on it.
    "cloudformation": ("Describe",),
    "lambda": ("GetFunction", "GetEventSourceMapping", "ListEventSourceMappings"),
}


def changes(service: str, operation: str) -> bool:
    """Whether the operation may have changed the service's state, or has told of a change."""
    if service in _KEEP_THEMSELVES or operation in _WITHOUT_STATE.get(service, ()):
        return False
    if operation.startswith(_READS_THAT_TELL.get(service, ("\0",))):
        return True
    return not operation.startswith(_READS)
