"""Prefixes of the buckets and indexes of the table, by name."""

from __future__ import annotations

UPLOAD_PREFIX = "uploads/"
MEDIA_PREFIX = "videos/"
INDEXES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    # index: (partition key, sort key, attributes besides the keys; none = all)
    "by_status": ("status_shard", "created_key", ()),
    "by_created": ("created_shard", "created_key", ()),
    "by_due": ("due_shard", "due_at", ("kind",)),
}
