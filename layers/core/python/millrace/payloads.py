"""What an event says: `{"type", "timestamp", "data"}`, small, without secrets, for strangers to
read. docs/how-to/webhooks.md shows each; tests compare."""

from __future__ import annotations

import json
from typing import Any

from millrace import hls, keys, videos, views
from millrace.model import News

_COMMON = ("title", "duration_s", "width", "height", "watch_url")
_OF_EVENT = {
    "video.playable": ("poster_url",),
    "video.completed": ("poster_url", "storyboard_url", "dash_url", "renditions"),
}


def body(news: News, site_url: str) -> str:
    """The body to send, as ASCII. What is not known, or not any more (a video that was deleted
    meanwhile), is null."""
    whole = {"type": news.event, "timestamp": news.at, "data": _data(news, site_url)}
    return json.dumps(whole, separators=(",", ":"))


def test_body(webhook_id: str, at: str) -> str:
    """What a webhook gets when somebody tries it out."""
    whole = {"type": "webhook.test", "timestamp": at, "data": {"webhook_id": webhook_id}}
    return json.dumps(whole, separators=(",", ":"))


def _data(news: News, site_url: str) -> dict[str, Any]:
    video = videos.get(news.video_id)
    shown = views.video(video, site_url) if video is not None else {}
    detail = news.detail or {}
    names = (*_COMMON, *_OF_EVENT.get(news.event, ()))
    data = {"video_id": news.video_id, **{name: shown.get(name) for name in names}}
    if news.event in _OF_EVENT:
        data["hls_url"] = _url(news, hls.MASTER, site_url)
    if news.event == "video.failed":
        data["reason"] = {"code": detail["reason"], "message": detail["message"]}
    if news.event == "rendition.ready":
        name = detail["rendition"]
        known = {rung["name"]: rung for rung in shown.get("renditions", [])}
        playlist_url = _url(news, hls.media_path(name), site_url)
        data["rendition"] = {**known.get(name, {"name": name}), "playlist_url": playlist_url}
    return data


def _url(news: News, path: str, site_url: str) -> str:
    return f"{site_url}/{keys.media_key(news.video_id, path)}"
