"""Problems: every way the API can say no, as RFC 9457 documents.

The catalogue is closed: a problem's `type` is one of `ProblemType`, its HTTP status and title
follow from it, and docs/API.md and the OpenAPI document list exactly these (tests compare them).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

CONTENT_TYPE = "application/problem+json"
TYPE_BASE = "https://millrace.dev/problems/"

_PASSING = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
    }
)
"""Codes of DynamoDB, S3 and SQS after which the same request may well succeed."""


class ProblemType(Enum):
    """(slug, HTTP status, title). A slug never changes meaning and is never used again."""

    INVALID_JSON = ("invalid-json", 400, "The body is not a JSON object")
    INVALID_PARAMETERS = ("invalid-parameters", 400, "A query parameter or header is not valid")
    INVALID_CURSOR = ("invalid-cursor", 400, "The cursor is not one this listing gave out")
    TOKEN_MISSING = ("token-missing", 401, "An access token is needed")
    TOKEN_MALFORMED = ("token-malformed", 401, "The Authorization header holds no access token")
    TOKEN_UNKNOWN = ("token-unknown", 401, "The access token is not known")
    TOKEN_EXPIRED = ("token-expired", 401, "The access token has expired")
    ROLE_MISSING = ("role-missing", 403, "The access token lacks the role this needs")
    NOT_OWNER = ("not-owner", 403, "The upload belongs to somebody else")
    ROUTE_NOT_FOUND = ("route-not-found", 404, "There is nothing at this address")
    VIDEO_NOT_FOUND = ("video-not-found", 404, "There is no such video")
    LETTER_NOT_FOUND = ("letter-not-found", 404, "There is no such dead letter")
    WEBHOOK_NOT_FOUND = ("webhook-not-found", 404, "There is no such webhook")
    DELIVERY_NOT_FOUND = ("delivery-not-found", 404, "There is no such undelivered event")
    METHOD_NOT_ALLOWED = ("method-not-allowed", 405, "The address does not take this method")
    UPLOAD_NOT_OPEN = ("upload-not-open", 409, "The upload is already over")
    NOT_MULTIPART = ("not-multipart", 409, "The upload is sent in one request, not in parts")
    NOT_CANCELLABLE = ("not-cancellable", 409, "Nobody works on the video")
    NOT_RETRYABLE = ("not-retryable", 409, "The video cannot be tried again")
    TOO_MANY_WEBHOOKS = ("too-many-webhooks", 409, "There are as many webhooks as there may be")
    CONFLICT = ("conflict", 409, "Somebody else changed the same thing at the same moment")
    BODY_TOO_LARGE = ("body-too-large", 413, "The body is too large")
    UNSUPPORTED_MEDIA_TYPE = ("unsupported-media-type", 415, "The body must be application/json")
    VALIDATION_FAILED = ("validation-failed", 422, "Some fields are not valid")
    IDEMPOTENCY_KEY_REUSED = (
        "idempotency-key-reused",
        422,
        "The Idempotency-Key was used for another upload",
    )
    PARTS_MISSING = ("parts-missing", 422, "Some parts have not been stored")
    PARTS_MISMATCH = ("parts-mismatch", 422, "The listed parts are not the stored ones")
    SIZE_MISMATCH = ("size-mismatch", 422, "The stored bytes are not the declared size")
    TOO_MANY_UPLOADS = ("too-many-uploads", 429, "The access token begins uploads too fast")
    TOO_MANY_GUESSES = ("too-many-guesses", 429, "Too many wrong access tokens came from there")
    INTERNAL = ("internal", 500, "Something went wrong on our side")
    UNAVAILABLE = ("unavailable", 503, "The service is overloaded for a moment")

    def __init__(self, slug: str, status: int, title: str) -> None:
        self.slug = slug
        self.status = status
        self.title = title

    @property
    def uri(self) -> str:
        return TYPE_BASE + self.slug


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field, parameter or header.

    Attributes:
        field: its name as the client wrote it, e.g. `size_bytes` or `parts[3].etag`.
        code: a stable word for programs, e.g. `too_large`.
        message: one sentence for a person.
    """

    field: str
    code: str
    message: str


class Problem(Exception):  # noqa: N818 - RFC 9457's own word
    """A refusal that the client is told about.

    Args:
        kind: which problem; gives `type`, `title` and the status.
        detail: one sentence about this occurrence: what to do. Never a token, never a signature.
        errors: per field, for validation problems.
        headers: HTTP headers that belong to the answer, e.g. `WWW-Authenticate`.
        extensions: further members of the document, e.g. `{"part_numbers": [3, 4]}`.
    """

    def __init__(
        self,
        kind: ProblemType,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        extensions: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{kind.slug}: {detail}")
        self.kind = kind
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.extensions = dict(extensions or {})

    def document(self) -> dict[str, Any]:
        """The RFC 9457 document. The standard members win over extensions of the same name."""
        body: dict[str, Any] = {
            **self.extensions,
            "type": self.kind.uri,
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": self.detail,
        }
        if self.errors:
            body["errors"] = [asdict(error) for error in self.errors]
        return body


def invalid_parameter(field: str, code: str, message: str) -> Problem:
    """One bad query parameter or header (400)."""
    return Problem(
        ProblemType.INVALID_PARAMETERS, message, errors=[FieldError(field, code, message)]
    )


def validation_failed(errors: Sequence[FieldError]) -> Problem:
    """Bad fields of a body (422): all of them at once, so that a form can mark each."""
    detail = " ".join(error.message for error in errors[:3])
    return Problem(ProblemType.VALIDATION_FAILED, detail, errors=errors)


def video_not_found(video_id: str) -> Problem:
    """404, also for videos the caller may not know of, so that ids cannot be tried out."""
    return Problem(ProblemType.VIDEO_NOT_FOUND, f"There is no video {video_id[:64]!r}.")


def is_passing(error: Exception) -> bool:
    """Whether AWS only asked for a little patience (botocore's and PynamoDB's errors)."""
    response = getattr(error, "response", None)
    code = getattr(error, "cause_response_code", None)
    if code is None and isinstance(response, dict):
        code = response.get("Error", {}).get("Code")
    return code in _PASSING
