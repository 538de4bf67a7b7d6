"""`GET /videos/{id}/trace`, as the dashboard's waterfall takes it and as OpenTelemetry does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import millrace
from millrace import clock, trace_ids
from millrace.model import Video
from millrace.paging import only
from millrace.problems import invalid_parameter
from millrace.tracing import Mark, Span, Trace

_PUBLIC_ATTRIBUTES = frozenset(
    {"duration_s", "waited_s", "bytes_read", "bytes_out", "source_s", "source_share", "backup"}
)
_FORMATS = ("otlp",)
_SPAN_KIND_INTERNAL, _STATUS_OK, _STATUS_ERROR = 1, 1, 2


def wants_otlp(params: Mapping[str, str]) -> bool:
    """Read `format`.

    Raises:
        Problem: 400 invalid-parameters.
    """
    only(params, {"format"})
    wanted = params.get("format")
    if wanted is not None and wanted not in _FORMATS:
        raise invalid_parameter("format", "unknown", "format is otlp, or left out.")
    return wanted == "otlp"


def plain(video: Video, trace: Trace, *, whole: bool) -> dict[str, Any]:
    """For the dashboard.

    Args:
        whole: for the owner and admins, with workers and every attribute.
    """
    root = trace.spans[0] if trace.spans else None
    return {
        "video_id": video.video_id,
        "trace_id": trace_ids.trace_id(video.video_id),
        "title": video.title,
        "status": video.status.lower(),
        "from": root.begin if root else video.created_at,
        "to": root.end if root else None,
        "spans": [_span(span, whole=whole) for span in trace.spans],
        "marks": [{"at": mark.at, "name": mark.name} for mark in trace.marks],
    }


def otlp(video: Video, trace: Trace, *, whole: bool) -> dict[str, Any]:
    """OTLP/JSON (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding): ids in
    hexadecimal, times as text in nanoseconds. A span must have an end: what still runs ends now."""
    spans = [_otlp_span(video.video_id, span, whole=whole) for span in trace.spans]
    if spans:
        spans[0]["events"] = [_otlp_event(mark) for mark in trace.marks]
    resource = {"service.name": "millrace", "millrace.video_id": video.video_id}
    scope = {"name": "millrace", "version": millrace.__version__}
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": _otlp_attributes(resource)},
                "scopeSpans": [{"scope": scope, "spans": spans}],
            }
        ]
    }


def _span(span: Span, *, whole: bool) -> dict[str, Any]:
    return {
        "id": span.id,
        "parent_id": span.parent_id,
        "name": span.name,
        "kind": span.kind,
        "task_id": span.task_id,
        "attempt": span.attempt,
        "worker": span.worker if whole else None,
        "from": span.begin,
        "to": span.end,
        "outcome": span.outcome,
        "reason": span.reason,
        "message": span.message,
        "attributes": _shown(span, whole=whole),
    }


def _shown(span: Span, *, whole: bool) -> dict[str, Any]:
    return {
        name: value
        for name, value in span.attributes.items()
        if whole or name in _PUBLIC_ATTRIBUTES
    }


def _otlp_span(video_id: str, span: Span, *, whole: bool) -> dict[str, Any]:
    bad = span.outcome in ("failed", "retried", "lost")
    told = {
        "task_id": span.task_id,
        "attempt": span.attempt,
        "worker": span.worker if whole else None,
        "outcome": span.outcome,
        "reason": span.reason,
        **_shown(span, whole=whole),
    }
    return {
        "traceId": trace_ids.trace_id(video_id),
        "spanId": span.id,
        "parentSpanId": span.parent_id or "",
        "name": span.name,
        "kind": _SPAN_KIND_INTERNAL,
        "startTimeUnixNano": _nanoseconds(span.begin),
        "endTimeUnixNano": _nanoseconds(span.end or clock.stamp()),
        "attributes": _otlp_attributes({f"millrace.{name}": told[name] for name in told}),
        "status": {"code": _STATUS_ERROR, "message": span.message or span.outcome}
        if bad
        else {"code": _STATUS_OK},
    }


def _otlp_event(mark: Mark) -> dict[str, Any]:
    return {"name": mark.name, "timeUnixNano": _nanoseconds(mark.at)}


def _otlp_attributes(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"key": name, "value": _otlp_value(value)}
        for name, value in values.items()
        if value is not None
    ]


def _otlp_value(value: str | float | bool) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    return {"doubleValue": value} if isinstance(value, float) else {"stringValue": value}


def _nanoseconds(stamp: str) -> str:
    at = datetime.fromisoformat(stamp)
    return str(int(at.timestamp()) * 1_000_000_000 + at.microsecond * 1000)
