"""What of a video can be watched since a publication, and could not be before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from millrace import clock, transact
from millrace.model import Transaction, Video


@dataclass(frozen=True, slots=True)
class SinceNow:
    """Lines of the log with the changes of the video that go with them (but for `playable` itself,
    which the publication sets), on condition that nobody wrote them yet."""

    lines: list[Transaction]
    actions: list[Action]
    condition: Condition


def since_now(video: Video, ready: Sequence[str], *, playable: bool) -> SinceNow:
    """What is new.

    Args:
        video: as it was seen before the publication.
        ready: names of the renditions of which every chunk stands; they are told of once in a
            video's life.
        playable: whether the video can be watched; told of again after each retry.
    """
    lines: list[Transaction] = []
    actions: list[Action] = []
    condition: Condition = Video.playable == bool(video.playable)
    if playable and not video.playable:
        detail: dict[str, Any] = {"playable": True}
        if video.playable_at is None:  # after a retry it would tell how long nobody retried it
            detail["since_upload_s"] = round(clock.age_s(video.uploaded_at or video.created_at), 3)
        lines.append(transact.entry(video.video_id, "video.playable", detail=detail))
    if ready and video.renditions_ready_at is None:
        condition &= Video.renditions_ready_at.does_not_exist()
        actions.append(Video.renditions_ready_at.set(clock.stamp()))
        lines += [
            transact.entry(video.video_id, "rendition.ready", detail={"rendition": name})
            for name in ready
        ]
    return SinceNow(lines, actions, condition)
