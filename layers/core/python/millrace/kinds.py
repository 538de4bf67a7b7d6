"""The kinds of work a video is made of. Apart from the table's model, which brings AWS's client
along: planning a video needs none."""

from __future__ import annotations

from enum import StrEnum


class TaskKind(StrEnum):
    PROBE = "probe"
    TRANSCODE = "transcode"
    AUDIO = "audio"
    SUBTITLES = "subtitles"
    THUMBNAIL = "thumbnail"
