"""A video's trace: a pure function of its log."""

from __future__ import annotations

import base64
import json
from typing import Any

from google.protobuf.json_format import ParseDict
from opentelemetry.proto.trace.v1.trace_pb2 import Status, TracesData

from millrace import keys, trace_ids, trace_views, tracing
from millrace.model import Transaction
from tests.unit.core.harness import VIDEO_ID, Cloud


def line(
    second: int, event: str, task: str | None = None, attempt: int | None = None, **detail: Any
) -> Transaction:
    at = f"2026-01-01T00:00:{second:02d}.000000Z"
    key = (keys.video_pk(VIDEO_ID), f"LOG#{at}#{event}")
    shown = {name.rstrip("_"): value for name, value in detail.items()}
    return Transaction(
        *key, video_id=VIDEO_ID, at=at, event=event, task_id=task, attempt=attempt, detail=shown
    )


BEGINNING = [
    line(0, "upload.created", to="AWAITING_UPLOAD"),
    line(5, "video.uploaded", from_="AWAITING_UPLOAD", to="QUEUED", bytes=6),
    line(6, "task.started", "probe-00000", 1, from_="PENDING", to="RUNNING", worker="p1"),
    line(7, "task.done", "probe-00000", 1, from_="RUNNING", to="DONE", duration_s=1.0),
    line(7, "video.planned", from_="QUEUED", to="PROCESSING", tasks={"transcode": 1}),
]
CHUNK = "transcode-00000"


def started(second: int, attempt: int, event: str = "task.started") -> Transaction:
    return line(second, event, CHUNK, attempt, from_="PENDING", to="RUNNING", worker=f"w{attempt}")


def ended(second: int, event: str, attempt: int, to: str, **detail: Any) -> Transaction:
    return line(second, event, CHUNK, attempt, from_="RUNNING", to=to, **detail)


def attempts(*lines: Transaction) -> list[tuple[str, str | None, str]]:
    """Worker, second of the end, outcome of the chunk's attempts."""
    found = tracing.of(VIDEO_ID, [*BEGINNING, *lines]).spans
    chunk = [span for span in found if span.kind == "transcode"]
    return [(span.worker or "", span.end and span.end[17:19], span.outcome) for span in chunk]


def test_spans_follow_one_another_when_all_goes_well() -> None:
    lines = [started(9, 1), ended(12, "task.done", 1, "DONE")]
    done = line(14, "video.completed", from_="PROCESSING", to="COMPLETED")
    trace = tracing.of(VIDEO_ID, [*BEGINNING, *lines, line(12, "video.playable"), done])
    told = [(span.kind, span.begin[17:19], (span.end or "")[17:19]) for span in trace.spans]
    assert told == [
        ("video", "00", "14"),
        ("upload", "00", "05"),
        ("queue", "05", "06"),
        ("probe", "06", "07"),
        ("queue", "07", "09"),
        ("transcode", "09", "12"),
        ("publish", "12", "14"),
    ]
    assert [mark.name for mark in trace.marks] == ["playable"]
    assert {span.parent_id for span in trace.spans} == {None, trace.spans[0].id}
    assert len({span.id for span in trace.spans}) == len(trace.spans)


def test_span_is_open_when_the_work_goes_on() -> None:
    assert attempts(started(9, 1)) == [("w1", None, "running")]
    assert tracing.of(VIDEO_ID, BEGINNING).spans[0].end is None


def test_every_attempt_has_its_outcome_when_the_task_is_tried_again() -> None:
    retried = ended(10, "task.retried", 1, "PENDING", reason="ENGINE_CRASHED", message="It died.")
    lost = ended(20, "task.lost", 2, "PENDING", reason="WORKER_LOST")
    told = attempts(started(9, 1), retried, started(11, 2), lost, started(21, 3))
    assert told == [("w1", "10", "retried"), ("w2", "20", "lost"), ("w3", None, "running")]


def test_first_attempt_is_cancelled_when_its_backup_wins() -> None:
    lines = (started(9, 1), started(15, 2, "task.doubled"), ended(18, "task.done", 2, "DONE"))
    assert attempts(*lines) == [("w1", "18", "cancelled"), ("w2", "18", "done")]


def test_other_attempt_goes_on_when_one_of_two_leaves() -> None:
    left = ended(16, "task.left", 1, "RUNNING", reason="WORKER_LOST")
    lines = (started(9, 1), started(15, 2, "task.doubled"), left)
    assert attempts(*lines) == [("w1", "16", "lost"), ("w2", None, "running")]


def test_video_goes_on_when_it_was_redriven() -> None:
    failed = [
        started(9, 1),
        ended(10, "task.failed", 1, "FAILED", reason="CORRUPT", message="Damaged."),
        line(10, "video.failed", from_="PROCESSING", to="FAILED", reason="CORRUPT"),
    ]
    trace = tracing.of(VIDEO_ID, [*BEGINNING, *failed])
    assert (trace.spans[0].outcome, trace.spans[0].reason) == ("failed", "CORRUPT")
    again = [
        line(30, "video.retried", from_="FAILED", to="PROCESSING"),
        line(31, "task.redriven", CHUNK, 1, from_="FAILED", to="PENDING"),
    ]
    whole = tracing.of(VIDEO_ID, [*BEGINNING, *failed, *again])
    assert (whole.spans[0].end, whole.spans[0].outcome) == (None, "running")
    assert attempts(*failed, *again, started(33, 2))[-1] == ("w2", None, "running")
    waits = [span for span in whole.spans if span.kind == "queue" and span.end is None]
    assert [span.begin[17:19] for span in waits] == ["31"]


def test_traceparent_is_the_same_for_everybody_when_the_video_is_known() -> None:
    version, trace, parent, flags = trace_ids.traceparent(VIDEO_ID).split("-")
    assert (version, flags) == ("00", "01")
    assert trace == trace_ids.trace_id(VIDEO_ID)
    assert parent == tracing.of(VIDEO_ID, BEGINNING).spans[0].id
    assert trace_ids.trace_id("b" * 26) != trace


def test_export_is_otlp_when_asked_for(cloud: Cloud) -> None:
    cloud.upload()
    cloud.drain()
    trace = tracing.of(VIDEO_ID, cloud.log())
    (resource,) = trace_views.otlp(cloud.video(), trace, whole=True)["resourceSpans"]
    (scope,) = resource["scopeSpans"]
    assert len(scope["spans"]) == len(trace.spans)
    for span in scope["spans"]:
        assert len(span["traceId"]) == 32
        assert len(span["spanId"]) == 16
        assert 0 < int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"])
    assert scope["spans"][0]["parentSpanId"] == ""


def test_export_is_read_by_opentelemetrys_own_schema_when_an_attempt_failed(cloud: Cloud) -> None:
    """An unknown member, a wrong type or a number out of an enum's range is an error there."""
    (cloud.engine.home / "no-storyboard").touch()  # an attempt that fails, too
    cloud.upload()
    cloud.drain()
    trace = tracing.of(VIDEO_ID, cloud.log())
    exported = json.loads(json.dumps(trace_views.otlp(cloud.video(), trace, whole=True)))
    for span in exported["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        for name in ("traceId", "spanId", "parentSpanId"):
            # OTLP's one departure from protobuf's JSON: ids are hexadecimal.
            span[name] = base64.b64encode(bytes.fromhex(span[name])).decode()
    read = ParseDict(exported, TracesData())
    spans = read.resource_spans[0].scope_spans[0].spans
    assert [span.name for span in spans] == [span.name for span in trace.spans]
    assert {span.trace_id.hex() for span in spans} == {trace_ids.trace_id(VIDEO_ID)}
    assert {span.status.code for span in spans} == {Status.STATUS_CODE_OK, Status.STATUS_CODE_ERROR}
    named = {attribute.key: attribute.value for span in spans for attribute in span.attributes}
    assert named["millrace.attempt"].int_value >= 1
    assert named["millrace.duration_s"].WhichOneof("value") in ("double_value", "int_value")


def test_worker_and_its_files_are_hidden_when_the_public_looks(cloud: Cloud) -> None:
    cloud.upload()
    cloud.drain()
    trace = tracing.of(VIDEO_ID, cloud.log())
    public = trace_views.plain(cloud.video(), trace, whole=False)["spans"]
    whole = trace_views.plain(cloud.video(), trace, whole=True)["spans"]
    assert not any(span["worker"] or "files" in span["attributes"] for span in public)
    assert any(span["worker"] and "files" in span["attributes"] for span in whole)
