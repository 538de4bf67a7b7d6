"""Uploads: begin, send in parts, resume, complete, abort.

The video is made first, then the place to send its bytes to: whatever dies in between leaves a
video that waits and that a repeated request picks up again. Every step can be repeated after its
answer was lost.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from millrace import (
    allowance,
    clock,
    keys,
    s3_uploads,
    settings_rules,
    upload_rules,
    video_settings,
    videos,
    views,
)
from millrace.auth import Caller
from millrace.config import Settings
from millrace.errors import TransitionRefused
from millrace.ladder import LADDERS
from millrace.model import Video, VideoStatus
from millrace.problems import Problem, ProblemType, invalid_parameter, video_not_found
from millrace.queues import Queues
from millrace.upload_rules import Part, UploadRequest

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PARTS_PER_REQUEST = 100
"""URLs given out at once: enough for any parallel sender, all well within a request's time."""
_NAMED_PARTS = 1000
"""Part numbers a problem lists at most."""
_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def rules(max_bytes: int) -> dict[str, Any]:
    """What may be uploaded, for clients that check before they send."""
    return {
        "max_bytes": max_bytes,
        "multipart_above_bytes": upload_rules.SINGLE_POST_BYTES,
        "types": [
            {"extension": extension, "content_types": list(accepted)}
            for extension, accepted in upload_rules.CONTENT_TYPES.items()
        ],
        "ladders": list(LADDERS),
        "settings": settings_rules.choices(),
    }


@dataclass(frozen=True, slots=True)
class Uploads:
    """The uploads of one deployment."""

    s3: S3Client
    queues: Queues
    settings: Settings

    def create(
        self, body: Mapping[str, Any], caller: Caller, idempotency_key: str | None
    ) -> dict[str, Any]:
        """Begin an upload: the video's id and where to send its bytes.

        Raises:
            Problem: 422 validation-failed or idempotency-key-reused, 409 upload-not-open when the
                key's upload is over, 400 invalid-parameters for an unusable key, 429
                too-many-uploads.
        """
        request = upload_rules.parse_upload_request(body, self.settings.max_upload_bytes)
        video_id = _video_id(caller, idempotency_key)
        allowance.take(caller, self.settings.uploads_per_minute)
        video = videos.create(
            video_id=video_id,
            title=request.title,
            filename=request.filename,
            upload_key=keys.upload_key(video_id, request.extension),
            content_type=request.content_type,
            declared_bytes=request.size_bytes,
            owner=caller.name,
            settings=request.settings.to_json(),
        )
        _check_same(video, request)
        _check_open(video)
        return self._offer(video)

    def part_urls(
        self, video_id: str, body: Mapping[str, Any], caller: Caller
    ) -> list[dict[str, Any]]:
        """Presigned URLs for some parts, each for its exact length."""
        video, declared = self._open_multipart(video_id, caller)
        numbers = upload_rules.parse_part_numbers(
            body, upload_rules.part_count(declared), PARTS_PER_REQUEST
        )
        upload_id = self._upload_id(video)
        return [
            {
                "part_number": number,
                "size_bytes": upload_rules.bytes_of_part(declared, number),
                "url": s3_uploads.presigned_part(
                    self.s3,
                    self.settings.uploads_bucket,
                    video.upload_key,
                    upload_id,
                    number,
                    upload_rules.bytes_of_part(declared, number),
                ),
            }
            for number in numbers
        ]

    def stored_parts(self, video_id: str, caller: Caller) -> dict[str, Any]:
        """What a resumed upload need not send again."""
        video, declared = self._open_multipart(video_id, caller)
        stored = self._stored(video)
        if stored is None:
            raise _over(video, "S3 no longer knows the upload: it was put together or expired.")
        return {
            "part_size_bytes": upload_rules.part_size(declared),
            "part_count": upload_rules.part_count(declared),
            "parts": [
                {"part_number": p.part_number, "etag": p.etag, "size_bytes": p.size_bytes}
                for p in stored
            ],
        }

    def complete(self, video_id: str, body: Mapping[str, Any], caller: Caller) -> Video:
        """Put the parts together, once; the arrival of the object sets everything else going.

        Raises:
            Problem: 422 parts-missing or parts-mismatch, which sending parts again can heal;
                size-mismatch, which ends the upload; 409 when the upload is over.
        """
        video = self._mine(video_id, caller)
        if views.has_arrived(video):
            return video  # the first answer was lost, and the pipeline is already at work
        declared = _declared_of_multipart(video)
        listed = upload_rules.parse_part_list(body, upload_rules.part_count(declared))
        stored = self._stored(video)
        if stored is None:
            return self._already_complete(video, declared)
        if sum(part.size_bytes for part in stored) > declared:
            self._refuse_oversize(video, stored, declared, caller)
        _check_parts(listed, stored, declared)
        refusal = s3_uploads.complete_multipart(
            self.s3, self.settings.uploads_bucket, video.upload_key, video.upload_id or "", stored
        )
        if refusal == "NoSuchUpload":
            return self._already_complete(video, declared)
        if refusal is not None:
            detail = "A part was replaced at this moment. List the stored parts, then try again."
            raise Problem(ProblemType.PARTS_MISMATCH, detail)
        return videos.get(video_id) or video

    def abort(self, video_id: str, caller: Caller) -> None:
        """Give an upload up; its parts and its video go away. Repeatable.

        Raises:
            Problem: 409 upload-not-open once the bytes have arrived.
        """
        video = self._mine(video_id, caller)
        try:
            videos.abort_upload(self.queues, video_id, caller.name)
        except TransitionRefused:
            detail = "The upload has arrived; delete the video instead."
            raise _over(videos.get(video_id) or video, detail) from None
        self._drop_parts(video)

    def _offer(self, video: Video) -> dict[str, Any]:
        declared = _declared(video)
        answer: dict[str, Any] = {"video_id": video.video_id}
        if declared > upload_rules.SINGLE_POST_BYTES:
            self._upload_id(video)
            begun = datetime.fromisoformat(video.created_at)
            answer["expires_at"] = keys.timestamp(
                begun + timedelta(seconds=videos.UPLOAD_LIFETIME_S)
            )
            answer["upload"] = {
                "method": "multipart",
                "part_size_bytes": upload_rules.part_size(declared),
                "part_count": upload_rules.part_count(declared),
            }
            return answer
        bucket, content_type = self.settings.uploads_bucket, video.content_type or ""
        answer["expires_at"] = clock.stamp(s3_uploads.VALID_S)
        target = s3_uploads.presigned_post(
            self.s3, bucket, video.upload_key, content_type, declared
        )
        answer["upload"] = {"method": "post", **target}
        return answer

    def _upload_id(self, video: Video) -> str:
        """The id of the video's multipart upload, begun now if nobody has yet."""
        if video.upload_id:
            return video.upload_id
        bucket, content_type = self.settings.uploads_bucket, video.content_type or ""
        mine = s3_uploads.start_multipart(self.s3, bucket, video.upload_key, content_type)
        # Aborted only when certainly not remembered; an unclear failure is left to the bucket's
        # lifecycle rule, because the video may already point to this upload.
        try:
            current = videos.set_upload_id(video.video_id, mine)
        except TransitionRefused:
            s3_uploads.abort_multipart(self.s3, bucket, video.upload_key, mine)
            raise video_not_found(video.video_id) from None
        if current.upload_id != mine:
            s3_uploads.abort_multipart(self.s3, bucket, video.upload_key, mine)
        if not current.upload_id:
            raise _over(current)
        return current.upload_id

    def _stored(self, video: Video) -> list[Part] | None:
        if not video.upload_id:
            return []  # made, but its multipart upload was never begun: nothing is stored
        return s3_uploads.stored_parts(
            self.s3, self.settings.uploads_bucket, video.upload_key, video.upload_id
        )

    def _already_complete(self, video: Video, declared: int) -> Video:
        """S3 forgot the upload: it was put together before (fine), or aborted (not)."""
        bucket = self.settings.uploads_bucket
        if s3_uploads.object_bytes(self.s3, bucket, video.upload_key) != declared:
            raise _over(video, "S3 no longer knows the upload: it was aborted or expired.")
        return videos.get(video.video_id) or video

    def _refuse_oversize(
        self, video: Video, stored: Sequence[Part], declared: int, caller: Caller
    ) -> None:
        """More bytes than declared: nothing that is sent later can make it right."""
        total = sum(part.size_bytes for part in stored)
        try:
            videos.abort_upload(self.queues, video.video_id, caller.name)
        except TransitionRefused:
            raise _over(video) from None
        self._drop_parts(video)
        raise Problem(
            ProblemType.SIZE_MISMATCH,
            f"The parts hold {total} bytes, {declared} were declared. The upload was aborted.",
            extensions={"declared_bytes": declared, "stored_bytes": total},
        )

    def _drop_parts(self, video: Video) -> None:
        # The purge would drop them as well; at once is kinder to whoever pays for them.
        if video.upload_id:
            s3_uploads.abort_multipart(
                self.s3, self.settings.uploads_bucket, video.upload_key, video.upload_id
            )

    def _open_multipart(self, video_id: str, caller: Caller) -> tuple[Video, int]:
        video = self._mine(video_id, caller)
        declared = _declared_of_multipart(video)
        return video, declared

    def _mine(self, video_id: str, caller: Caller) -> Video:
        """The caller's own upload; another's is hidden while nobody else may see it."""
        video = views.find(video_id, caller)
        if not caller.owns(video.owner):
            detail = "Only the token's name that began an upload, or an admin, may go on with it."
            raise Problem(ProblemType.NOT_OWNER, detail)
        return video


def _video_id(caller: Caller, idempotency_key: str | None) -> str:
    if idempotency_key is None:
        return keys.new_video_id()
    if not _IDEMPOTENCY_KEY.fullmatch(idempotency_key):
        message = "Idempotency-Key is 1 to 255 visible ASCII characters without spaces."
        raise invalid_parameter("Idempotency-Key", "malformed", message)
    return keys.video_id_of_request(caller.token_id, idempotency_key)


def _check_same(video: Video, request: UploadRequest) -> None:
    """A key stands for one file: with another one it is a client's mistake, not a repeat."""
    before = (video.filename, video.declared_bytes, video.content_type, video.title)
    asked = (request.filename, request.size_bytes, request.content_type, request.title)
    if before != asked or video_settings.from_json(video.settings) != request.settings:
        detail = "Use a new Idempotency-Key for another file, size, type, title or settings."
        raise Problem(ProblemType.IDEMPOTENCY_KEY_REUSED, detail)


def _check_open(video: Video) -> None:
    if video.status != VideoStatus.AWAITING_UPLOAD:
        raise _over(video)


def _over(video: Video, detail: str | None = None) -> Problem:
    status = video.status.lower()
    return Problem(
        ProblemType.UPLOAD_NOT_OPEN,
        detail or f"The video is {status}: nothing more can be sent.",
        extensions={"video_id": video.video_id, "video_status": status},
    )


def _declared(video: Video) -> int:
    return int(video.declared_bytes or 0)


def _declared_of_multipart(video: Video) -> int:
    _check_open(video)
    declared = _declared(video)
    if declared <= upload_rules.SINGLE_POST_BYTES:
        detail = "The upload is one form post; its target came with POST /uploads."
        raise Problem(ProblemType.NOT_MULTIPART, detail)
    return declared


def _check_parts(listed: Sequence[Part], stored: Sequence[Part], declared: int) -> None:
    """The client's list, S3's list and the declared size must tell the same story."""
    there = {part.part_number: part for part in stored}
    expected = range(1, upload_rules.part_count(declared) + 1)
    if missing := [number for number in expected if number not in there]:
        detail = f"{len(missing)} of {len(expected)} parts are not stored yet; send them."
        raise _parts_problem(ProblemType.PARTS_MISSING, detail, missing)
    if short := [
        number
        for number in expected
        if there[number].size_bytes != upload_rules.bytes_of_part(declared, number)
    ]:
        detail = "Some parts do not have the length they must have; send them again."
        raise _parts_problem(ProblemType.PARTS_MISMATCH, detail, short)
    claimed = {part.part_number: part.etag for part in listed}
    if other := [number for number in expected if claimed.get(number) != there[number].etag]:
        detail = "The list leaves out parts, or names other ETags than the stored ones."
        raise _parts_problem(ProblemType.PARTS_MISMATCH, detail, other)


def _parts_problem(kind: ProblemType, detail: str, numbers: Sequence[int]) -> Problem:
    return Problem(kind, detail, extensions={"part_numbers": list(numbers[:_NAMED_PARTS])})
