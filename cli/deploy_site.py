"""Publishes the pages: `python -m cli.deploy_site BUCKET API_URL SIGNAL_URL` (AWS's usual
credentials)."""

from __future__ import annotations

import json
import mimetypes
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from cli.state import REPOSITORY

MEDIA_PREFIX = "videos/"
"""Belongs to the functions; never touched here."""
REVALIDATE = "no-cache"
"""Pages and scripts refer to each other by plain names: after a deployment a browser must not mix
old and new ones. A revalidation costs one 304."""
DAY = "public, max-age=86400"
CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".vtt": "text/vtt; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
_KEPT_BY_BROWSERS = frozenset({".woff2", ".svg", ".png", ".jpg", ".webp", ".ico"})
_SAMPLE_PAGE = "player/sample/"
"""Has nothing to play without `./millrace player sample`."""
_FOR_DEVELOPERS = ("build-vendor.mjs", ".d.mts", ".d.ts", ".md", ".map")


def publish_site(s3: Any, bucket: str, frontend: Path, addresses: Mapping[str, str]) -> None:
    """Upload the pages and their configuration; remove what no longer belongs to them.

    Args:
        s3: a boto3 S3 client.
        bucket: the site bucket; its media stay as they are.
        frontend: folder of the pages.
        addresses: written to `config.json`: `apiUrl`, base URL of the REST API, and `signalUrl`, of
            the WebSocket API.
    """
    objects = {
        path.relative_to(frontend).as_posix(): path.read_bytes() for path in _pages(frontend)
    }
    objects["config.json"] = json.dumps(dict(addresses)).encode()

    def put(item: tuple[str, bytes]) -> None:
        key, body = item
        s3.put_object(
            Bucket=bucket,
            Key=key,
            Body=body,
            ContentType=content_type(key),
            CacheControl=DAY if Path(key).suffix in _KEPT_BY_BROWSERS else REVALIDATE,
        )

    # Pages last, so that none is there before the scripts it loads.
    for pages in (False, True):
        chosen = [item for item in objects.items() if item[0].endswith(".html") is pages]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(put, chosen))
    for key in _published(s3, bucket) - set(objects):
        s3.delete_object(Bucket=bucket, Key=key)


def content_type(key: str) -> str:
    """MIME type by the file's ending, the same on every machine for what the web needs."""
    known = CONTENT_TYPES.get(Path(key).suffix)
    return known or mimetypes.guess_type(key)[0] or "text/plain; charset=utf-8"


def _pages(frontend: Path) -> Iterator[Path]:
    for path in sorted(frontend.rglob("*")):
        relative = path.relative_to(frontend)
        hidden = any(part.startswith(".") for part in relative.parts)
        if relative.as_posix().startswith(_SAMPLE_PAGE):
            continue
        if path.is_file() and not hidden and not path.name.endswith(_FOR_DEVELOPERS):
            yield path


def _published(s3: Any, bucket: str) -> set[str]:
    """Keys outside the media. Listed level by level: the media may be millions."""
    pages = s3.get_paginator("list_objects_v2")
    keys: set[str] = set()
    waiting = [""]
    while waiting:
        for page in pages.paginate(Bucket=bucket, Prefix=waiting.pop(), Delimiter="/"):
            keys |= {item["Key"] for item in page.get("Contents", [])}
            folders = (entry["Prefix"] for entry in page.get("CommonPrefixes", []))
            waiting += [folder for folder in folders if folder != MEDIA_PREFIX]
    return keys


if __name__ == "__main__":
    import boto3

    bucket, api_url, signal_url = sys.argv[1:]
    addresses = {"apiUrl": api_url, "signalUrl": signal_url}
    publish_site(boto3.client("s3"), bucket, REPOSITORY / "frontend", addresses)
