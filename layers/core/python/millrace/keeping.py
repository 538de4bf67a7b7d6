"""Storing what the engine made, so that what was published once never changes.

Several attempts may make the same file: one after another, or side by side (`seats`); one may even
have been taken for dead and wake up in the middle of storing, long after the video is complete. The
first to store a file wins, by a condition that S3 itself checks; whoever comes later takes over
what is stored, with its size. All attempts work from the same plan and source, each segment begins
with an IDR picture and none refers to another, so segments of different attempts go together.

The only files ever replaced are those that a task alone makes, by attempts made before it was
redriven, because they may be why it was: it was never done, so no playlist ever named them. What
it told of while it grew has been named, and stays.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from aws_lambda_powertools import Logger

from millrace import keys, outputs
from millrace.engine import Line
from millrace.errors import Reason, RetryableError
from millrace.model import TaskKind
from millrace.storage import StoredObject
from millrace.worker import Job

_ATTEMPT, _IFRAME_BYTES = "attempt", "iframe-bytes"
"""Metadata of stored files: who made it, and `iframe_bytes` of the engine's line."""
_TRIES = 5

log = Logger(child=True)


def keep(job: Job, path: Path, line: Line) -> Line:
    """Store one finished file, or find that it is stored already.

    Args:
        line: the engine's `init` or `segment` line about it.

    Returns:
        The line, or what it would be of the file that is stored.

    Raises:
        RetryableError: OUTPUT_FAILED.
    """
    key = keys.media_key(job.lease.task.video_id, line["path"])
    metadata = {_ATTEMPT: str(job.lease.attempt)}
    if "iframe_bytes" in line:
        metadata[_IFRAME_BYTES] = str(line["iframe_bytes"])
    replacing = None
    for _ in range(_TRIES):
        if job.shop.site.put_file_once(key, path, metadata, replacing=replacing):
            return line
        stored = job.shop.site.head(key)
        if stored is not None and not _is_outdated(stored, job, line):
            return _adopted(stored, path, line)
        replacing = stored.etag if stored else None
    message = "Others store the same file again and again."
    raise RetryableError(Reason.OUTPUT_FAILED, message)


def _is_outdated(stored: StoredObject, job: Job, line: Line) -> bool:
    """A rendition's init file belongs to all of its chunks, of which some may be done."""
    if line["type"] == "init" and job.lease.task.kind is TaskKind.TRANSCODE:
        return False
    if line.get("index", 0) < outputs.told_of(job.task.output, line["rendition"]).end:
        return False
    return int(stored.metadata.get(_ATTEMPT, 1)) <= int(job.task.forgiven_attempts)


def _adopted(stored: StoredObject, path: Path, line: Line) -> Line:
    if stored.etag == hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest():
        return line
    log.info("file.adopted", extra={"path": line["path"], **stored.metadata})
    adopted = {**line, "bytes": stored.size_bytes}
    if _IFRAME_BYTES in stored.metadata:
        adopted["iframe_bytes"] = int(stored.metadata[_IFRAME_BYTES])
    return adopted
