"""One id from the upload to the end, in every message and log line about a video."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from millrace import trace_ids, worker
from millrace.errors import Reason
from tests.unit.core.fake_engine import FakeEngine
from tests.unit.core.harness import VIDEO_ID, Cloud


@pytest.fixture
def sent(cloud: Cloud) -> list[dict[str, Any]]:
    """Grows with every message that functions send."""
    real, found = cloud.wire._real, list[dict[str, Any]]()

    def record(client: Any, operation: str, arguments: Any) -> Any:
        if cloud.wire.in_function and operation == "SendMessage":
            found.append(arguments)
        if cloud.wire.in_function and operation == "SendMessageBatch":
            found.extend(arguments["Entries"])
        return real(client, operation, arguments)

    cloud.wire._real = record
    return found


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What functions write to their logs, as it is written."""
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(worker.log.registered_formatter)
    logging.getLogger().addHandler(handler)
    yield handler.stream
    logging.getLogger().removeHandler(handler)


def test_every_message_has_the_trace_when_a_video_goes_its_way(
    cloud: Cloud, sent: list[dict[str, Any]]
) -> None:
    cloud.upload()
    for queue in ("ingest", "probe", "transcode", "thumbnail", "publish"):
        cloud.deliver(queue)
    assert len(sent) > 5
    traces = [message["MessageAttributes"]["traceparent"]["StringValue"] for message in sent]
    assert set(traces) == {trace_ids.traceparent(VIDEO_ID)}


def test_every_line_about_a_video_has_the_trace_and_the_engines_are_among_them(
    cloud: Cloud, engine: FakeEngine, written: io.StringIO
) -> None:
    cloud.upload()
    cloud.deliver("ingest")
    engine.fails("probe", code=Reason.CORRUPT, message="Damaged.")
    cloud.deliver("probe")
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    told = {line["message"] for line in lines}
    assert {"object.arrived", "task.started", "engine.log", "task.failed"} <= told
    for line in lines:
        assert line["video_id"] == VIDEO_ID
        assert line["trace_id"] == trace_ids.trace_id(VIDEO_ID)
