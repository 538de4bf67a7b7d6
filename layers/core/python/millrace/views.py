"""What the API shows of a video. The owner, upload keys and everything else internal stay inside:
a view names what it shows, so a new attribute is hidden until somebody decides otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from millrace import keys, video_settings, videos
from millrace.auth import Caller
from millrace.model import Task, TaskKind, Transaction, Video, VideoStatus
from millrace.problems import video_not_found
from millrace.queues import queue_of

_PUBLIC = (
    VideoStatus.QUEUED,
    VideoStatus.PROCESSING,
    VideoStatus.COMPLETED,
    VideoStatus.FAILED,
)
PUBLIC_STATUSES: Mapping[str, VideoStatus] = {status.lower(): status for status in _PUBLIC}
"""The names users see, and may filter by."""
ALL_STATUSES: Mapping[str, VideoStatus] = {
    **PUBLIC_STATUSES,
    **{status.lower(): status for status in VideoStatus if status not in _PUBLIC},
}
"""What admins see besides: uploads not finished, cancelled and vanishing videos."""

_MEDIA_PARTS = ("format", "video", "audio", "subtitles", "chapters", "warnings")
_EVENT_DETAIL = frozenset(
    {"from", "to", "status", "reason", "message", "kind", "percent", "playable", "tasks", "chunks"}
    | {"rendition", "bytes_read", "source_share"}
)
"""What the public sees of a transaction's detail: no worker names, keys, owners or ETags."""


def is_public(video: Video) -> bool:
    """Whether anybody may see it: its bytes have arrived, and it is not on its way out."""
    return video.status in _PUBLIC and video.uploaded_at is not None


def has_arrived(video: Video) -> bool:
    """Whether its bytes came and it is not being removed."""
    gone = (VideoStatus.AWAITING_UPLOAD, VideoStatus.DELETING)
    return video.uploaded_at is not None and video.status not in gone


def may_see(video: Video, caller: Caller | None) -> bool:
    """Owners see their own before the upload is through; admins see everything."""
    return is_public(video) or (caller is not None and caller.owns(video.owner))


def find(video_id: str, caller: Caller | None) -> Video:
    """The video as it is now, if the caller may know of it.

    Raises:
        Problem: 404 video-not-found.
    """
    check_id(video_id)
    found = videos.get(video_id)
    if found is None or not may_see(found, caller):
        raise video_not_found(video_id)
    return found


def check_id(video_id: str) -> None:
    """What cannot be an id is no video; no need to ask the table.

    Raises:
        Problem: 404 video-not-found.
    """
    if not keys.VIDEO_ID.fullmatch(video_id):
        raise video_not_found(video_id)


def card(video: Video, site_url: str) -> dict[str, Any]:
    """A video in a listing."""
    media = _media(video)
    return {
        **progress(video),
        "title": video.title,
        "created_at": video.created_at,
        "duration_s": _get(media, "format", "duration_s"),
        **_dimensions(media),
        "poster_url": _url(video, video.poster, site_url),
        "storyboard_url": _url(video, video.storyboard, site_url),
        "watch_url": watch_url(video.video_id, site_url),
    }


def progress(video: Video) -> dict[str, Any]:
    """How far a video is: also the whole answer of `GET /status/{job_id}`."""
    view: dict[str, Any] = {
        "id": video.video_id,
        "status": video.status.lower(),
        "percent": percent(video),
        "playable": bool(video.playable) and video.status != VideoStatus.DELETING,
    }
    if video.status == VideoStatus.FAILED:
        message = video.reason_message or "The video could not be processed."
        view["reason"] = {"code": video.reason or "INTERNAL", "message": message}
    return view


def video(video: Video, site_url: str) -> dict[str, Any]:
    """Everything the public may know of one video."""
    view = {
        **card(video, site_url),
        "uploaded_at": video.uploaded_at,
        "playable_at": video.playable_at,
        "completed_at": video.completed_at,
        "renditions": _renditions(video),
        "thumbnails": [
            {"time_s": entry["time_s"], "url": _url(video, entry["path"], site_url)}
            for entry in video.thumbnails or []
        ],
        "hls_url": _url(video, "master.m3u8" if video.playable else None, site_url),
        "dash_url": _url(video, video.manifest, site_url),
        "settings": _settings(video),
    }
    media = _media(video)
    if media:
        view["media"] = {part: media[part] for part in _MEDIA_PARTS if part in media}
    return view


def event(transaction: Transaction, *, whole: bool) -> dict[str, Any]:
    """A line of the transaction log. `whole`: for the owner and admins, with every detail."""
    detail = transaction.detail or {}
    if not whole:
        detail = {name: value for name, value in detail.items() if name in _EVENT_DETAIL}
    return {
        "at": transaction.at,
        "event": transaction.event,
        "task_id": transaction.task_id,
        "attempt": int(transaction.attempt) if transaction.attempt is not None else None,
        "detail": detail,
    }


def letter(task: Task, title: str) -> dict[str, Any]:
    """A dead letter, for admins: what is known about the end of a failed task of the video of this
    title."""
    return {
        "video_id": task.video_id,
        "title": title,
        "task_id": task.task_id,
        "queue": queue_of(TaskKind(task.task_kind)),
        "status": task.status.lower(),
        "failed_at": task.ended_at,
        "reason": {"code": task.reason, "message": task.reason_message},
        "attempts": task.attempts or [],
        "engine_log": task.engine_log or "",
    }


def percent(video: Video) -> int:
    """0 to 100, weighted by work. 100 means completed and nothing else does."""
    if video.status == VideoStatus.COMPLETED:
        return 100
    if not video.units_total:
        return 0
    return min(99, int(100 * video.units_done / video.units_total))


def watch_url(video_id: str, site_url: str) -> str:
    return f"{site_url}/watch.html?v={video_id}"


def _renditions(video: Video) -> list[dict[str, Any]]:
    names = ("name", "width", "height", "codecs", "maxrate_bps")
    return [
        {name: rendition[name] for name in names if name in rendition}
        for rendition in _get(video.plan or {}, "video", "renditions") or []
    ]


def _settings(video: Video) -> dict[str, Any]:
    """What was chosen; once it is planned, also what the deployment chose."""
    chosen = video_settings.from_json(video.settings).to_json()
    plan = video.plan or {}
    planned = {"preset": _get(plan, "video", "preset"), "container": plan.get("container")}
    return {**chosen, **{name: value for name, value in planned.items() if value}}


def _dimensions(media: Mapping[str, Any]) -> dict[str, int | None]:
    """As displayed: pixel aspect and rotation applied. A cover picture is no video stream."""
    for stream in media.get("video") or []:
        if not stream.get("attached_picture"):
            return {
                "width": stream.get("display_width", stream.get("width")),
                "height": stream.get("display_height", stream.get("height")),
            }
    return {"width": None, "height": None}


def _media(video: Video) -> Mapping[str, Any]:
    media: Mapping[str, Any] = video.media or {}
    return media


def _url(video: Video, path: str | None, site_url: str) -> str | None:
    return f"{site_url}/{keys.media_key(video.video_id, path)}" if path else None


def _get(mapping: Mapping[str, Any], *path: str) -> Any:
    value: Any = mapping
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
