"""Errors of the DynamoDB API, with the codes and texts AWS answers with."""

from __future__ import annotations

from typing import Any


class DynamoError(Exception):
    """An error answer: `code` is the API's error type, `members` are its further fields."""

    status = 400

    def __init__(self, code: str, message: str, **members: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.members = members

    def body(self) -> dict[str, Any]:
        namespace = "com.amazonaws.dynamodb.v20120810"
        if self.code in ("ValidationException", "SerializationException"):
            namespace = "com.amazon.coral.validate"
        # AWS itself spells it "Message" for this one and "message" for the others; SDKs read both.
        return {"__type": f"{namespace}#{self.code}", "message": self.message, **self.members}


class ValidationError(DynamoError):
    """The request is wrong in itself; nothing was changed."""

    def __init__(self, message: str) -> None:
        super().__init__("ValidationException", message)


class ConditionFailedError(DynamoError):
    """A condition was false; `item` is what stood there (None when not asked for)."""

    def __init__(self, item: dict[str, Any] | None = None) -> None:
        members = {"Item": item} if item else {}
        super().__init__(
            "ConditionalCheckFailedException", "The conditional request failed", **members
        )


def table_not_found() -> DynamoError:
    return DynamoError("ResourceNotFoundException", "Requested resource not found")
