"""What a run writes of metrics, as CloudWatch would read it."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout

import pytest

from millrace import counters, keys, prices, steering
from millrace.metrics import Metric
from millrace.queues import Queues
from tests.unit.core.harness import REPOSITORY, SITE, VIDEO_ID, Cloud

SOURCES = REPOSITORY / "layers" / "core" / "python" / "millrace"


def written(metric: Metric, do: Callable[[], object]) -> Iterator[tuple[dict[str, str], float]]:
    """Dimensions and value of all that is written of a metric meanwhile."""
    with redirect_stdout(io.StringIO()) as out:
        do()
    for line in out.getvalue().splitlines():
        document = json.loads(line) if '"_aws"' in line else {"_aws": {"CloudWatchMetrics": []}}
        for directive in document["_aws"]["CloudWatchMetrics"]:
            (names,) = directive["Dimensions"]
            if metric.title in [each["Name"] for each in directive["Metrics"]]:
                for value in document[metric.title]:
                    yield {name: document[name] for name in names}, value


@pytest.mark.parametrize("metric", Metric)
def test_metric_is_recorded_somewhere_when_it_is_in_the_table(metric: Metric) -> None:
    code = "".join(path.read_text() for path in sorted(SOURCES.glob("*.py")))
    assert re.search(rf"\bMetric\.{metric.name}\b", code)


def test_size_of_an_upload_is_recorded_once_when_it_is_told_twice(cloud: Cloud) -> None:
    cloud.upload(body=b"a film of 24 bytes, all.")
    key = keys.upload_key(VIDEO_ID, ".mp4")
    cloud.notify(key, cloud.put_object(key, b"a film of 24 bytes, all."), 24)
    assert [value for _, value in written(Metric.SOURCE_BYTES, cloud.drain)] == [24]


def test_size_of_an_upload_is_recorded_when_it_is_refused(cloud: Cloud) -> None:
    cloud.upload(notify=False)
    key = keys.upload_key(VIDEO_ID, ".mp4")
    cloud.notify(key, cloud.put_object(key, b"more than announced"), 19)
    assert [value for _, value in written(Metric.SOURCE_BYTES, cloud.drain)] == [19]
    assert cloud.video().status == "FAILED"


def test_bytes_of_the_stills_are_counted_when_they_are_stored(cloud: Cloud) -> None:
    cloud.upload()
    found = list(written(Metric.BYTES_OUT, cloud.drain))
    pictures = [
        body
        for key, body in cloud.objects(SITE).items()
        if re.search(r"/(poster|thumbnails/|storyboard)", key)
    ]
    assert len(pictures) == 7
    of_stills = [value for told, value in found if told["kind"] == "thumbnail"]
    assert of_stills == [sum(map(len, pictures))]
    everything = counters.present().totals["bytes_out"]
    assert sum(value for _, value in found) == everything


@pytest.mark.parametrize("end", ["completed", "cancelled", "failed"])
def test_every_attempts_cost_is_told_once_when_minutes_are_closed(cloud: Cloud, end: str) -> None:
    cloud.upload()
    if end == "failed":
        (cloud.engine.home / "no-storyboard").touch()
    with redirect_stdout(io.StringIO()):
        for queue in ("ingest", "probe", "transcode"):
            cloud.deliver(queue)
        if end == "cancelled":
            steering.cancel(Queues(cloud.sqs, cloud.settings("api")), VIDEO_ID, "admin")
        for _ in range(20):
            cloud.drain()
            cloud.pass_time(5)
    cloud.pass_time(180)
    assert cloud.video().status == end.upper()

    def look_twice() -> None:
        cloud.monitor()
        cloud.pass_time(180)
        cloud.monitor()

    told = sum(value for _, value in written(Metric.SPENT, look_twice))
    cost = counters.present().totals["cost_nano_usd"]
    assert cost > 0
    assert told * prices.NANO_USD == pytest.approx(cost)
