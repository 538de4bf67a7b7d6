"""Errors and the reason codes users see.

Two kinds matter to the pipeline: a `PermanentError` fails the video at once with a reason its owner
can act on; a `RetryableError` sends the message back to its queue.
"""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why a video or a task failed. The engine prints the same codes; they never change meaning."""

    EMPTY_FILE = "EMPTY_FILE"
    NOT_A_VIDEO = "NOT_A_VIDEO"
    CORRUPT = "CORRUPT"
    UNSUPPORTED_CONTAINER = "UNSUPPORTED_CONTAINER"
    UNSUPPORTED_CODEC = "UNSUPPORTED_CODEC"
    NO_VIDEO_STREAM = "NO_VIDEO_STREAM"
    EXTERNAL_REFERENCE = "EXTERNAL_REFERENCE"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    SOURCE_UNREADABLE = "SOURCE_UNREADABLE"
    SOURCE_CHANGED = "SOURCE_CHANGED"
    SOURCE_MISSING = "SOURCE_MISSING"
    OUTPUT_FAILED = "OUTPUT_FAILED"
    ENGINE_CRASHED = "ENGINE_CRASHED"
    WORKER_LOST = "WORKER_LOST"
    UPLOAD_EXPIRED = "UPLOAD_EXPIRED"
    MALFORMED_MESSAGE = "MALFORMED_MESSAGE"
    INTERNAL = "INTERNAL"


class MillraceError(Exception):
    """Base of every error Millrace raises on purpose.

    Args:
        reason: the stable code.
        message: one sentence for a person: what is wrong and what to do. Never holds a URL
            with a signature or a token.
        engine_log: the end of the engine's log, if it had a part in this.
    """

    def __init__(self, reason: Reason, message: str, engine_log: str = "") -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message
        self.engine_log = engine_log


class PermanentError(MillraceError):
    """Trying again cannot help: the video fails with `reason`."""


class RetryableError(MillraceError):
    """Trying again may help: the message returns to its queue with back-off."""


class TransitionRefused(Exception):  # noqa: N818 - a normal outcome under duplicates, not a fault
    """A conditional write found another state: somebody else made the move, or it is too late."""


class Stopped(Exception):  # noqa: N818 - a normal outcome, not a fault
    """The work is no longer wanted: its video is gone or failed, or another worker has it."""
