"""The whole log of one video, and what adds up from it. Its length is bounded by its plan."""

from __future__ import annotations

from millrace import keys, prices, tally
from millrace.model import Item, Transaction


def log_of(video_id: str) -> list[Transaction]:
    """All lines of a video's log, oldest first."""
    found = Item.query(keys.video_pk(video_id), Item.sk.startswith(keys.LOG_SK_PREFIX))
    return [item for item in found if isinstance(item, Transaction)]


def cost_usd(video_id: str) -> float:
    """What a video has taken so far, by estimate (`prices`)."""
    return tally.of(log_of(video_id)).happened["cost_nano_usd"] / prices.NANO_USD
