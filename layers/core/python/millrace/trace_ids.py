"""The ids of a video's trace. They follow from the video's id, so that whoever knows the video
knows them, however a message came, or came again."""

from __future__ import annotations

import hashlib
from typing import Any


def trace_id(video_id: str) -> str:
    """32 hexadecimal digits."""
    return hashlib.sha256(f"trace\n{video_id}".encode()).hexdigest()[:32]


def span_id(video_id: str, *parts: str) -> str:
    """16 hexadecimal digits."""
    text = "\n".join(("span", video_id, *parts))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def root_id(video_id: str) -> str:
    """Id of the span of the whole video."""
    return span_id(video_id, "video")


def traceparent(video_id: str) -> str:
    """https://www.w3.org/TR/trace-context/#traceparent-header: version, trace, parent, sampled."""
    return f"00-{trace_id(video_id)}-{root_id(video_id)}-01"


def log_keys(video_id: str) -> dict[str, str]:
    """What every log line about a video has."""
    return {"video_id": video_id, "trace_id": trace_id(video_id)}


def message_attributes(video_id: str | None) -> dict[str, Any]:
    """What goes with every message about a video."""
    if video_id is None:
        return {}
    return {"traceparent": {"DataType": "String", "StringValue": traceparent(video_id)}}
