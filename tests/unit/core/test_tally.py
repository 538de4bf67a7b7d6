"""The counters: what a line adds, and that nothing is lost or counted twice on their way."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import pytest

from millrace import (
    bookkeeping,
    clock,
    counters,
    keys,
    prices,
    rollup,
    stats,
    steering,
    tally,
    transact,
    videos,
)
from millrace.errors import Reason, TransitionRefused
from millrace.model import TaskKind, VideoStatus
from millrace.queues import Queues
from millrace.rollup import Level
from millrace.transact import commit, entry
from tests.unit.core.harness import VIDEO_ID, Cloud


def happenings(counts: Counter[str]) -> Counter[str]:
    return Counter({name: n for name, n in counts.items() if name not in tally.STATES})


def level_sum(level: Level) -> Counter[str]:
    begin = datetime.fromisoformat("2020-01-01T00:00:00+00:00")
    found: Counter[str] = sum(rollup.steps(level, begin).values(), Counter())
    return Counter({n: v for n, v in found.items() if not n.startswith(rollup.SAMPLE)})


def keep_books(cloud: Cloud) -> None:
    bookkeeping.run(Queues(cloud.sqs, cloud.settings("monitor")), float("inf"))


def test_states_move_when_lines_tell_of_moves() -> None:
    failed = videos.failure_detail(VideoStatus.QUEUED, Reason.CORRUPT, "Damaged.")
    moved = {"from": "RUNNING", "to": "FAILED", "duration_s": 2.5}
    counted = tally.of(
        [
            entry(VIDEO_ID, "task.failed", task_id="probe-00000", attempt=1, detail=moved),
            entry(VIDEO_ID, "video.failed", detail=failed),
        ]
    )
    assert counted.states == {
        **{"video_QUEUED": -1, "video_FAILED": 1},
        **{"task_RUNNING": -1, "task_FAILED": 1, "letters_probe": 1},
    }
    assert counted.happened == {
        **{"failed": 1, "dead_letters": 1, "busy_ms": 2500},
        "cost_nano_usd": prices.attempt_nano_usd(TaskKind.PROBE, 2.5, 0),
    }


@pytest.mark.parametrize(("seconds", "bound"), [(0.2, 1), (1.0, 1), (1.001, 2), (9e4, None)])
def test_time_is_in_one_bucket_when_a_video_is_playable(seconds: float, bound: int | None) -> None:
    line = entry(VIDEO_ID, "video.playable", detail={"since_upload_s": seconds})
    happened = tally.of([line]).happened
    assert happened.pop("playable_ms") == round(1000 * seconds)
    assert happened == {tally.bucket("playable", bound): 1}


def test_everything_is_counted_once_when_a_video_goes_its_way(cloud: Cloud) -> None:
    cloud.upload()
    cloud.drain()
    totals = counters.present().totals
    assert totals["video_COMPLETED"] == totals["completed"] == totals["uploaded"] == 1
    assert totals["task_DONE"] == len(videos.tasks_of(VIDEO_ID))
    assert totals["bytes_in"] == len(b"a film")
    assert totals["bytes_out"] > 0
    assert totals["source_ms"] > 0
    told = tally.of(cloud.log())
    assert totals == +told.states + told.happened


def test_only_happenings_are_left_when_a_video_was_purged(cloud: Cloud) -> None:
    cloud.upload()
    cloud.drain()
    videos.request_delete(Queues(cloud.sqs, cloud.settings("api")), VIDEO_ID, "admin")
    cloud.heal()
    totals = counters.present().totals
    assert [name for name in tally.STATES if totals[name]] == []
    assert totals["completed"] == 1


def test_nothing_is_counted_when_a_move_is_refused(cloud: Cloud) -> None:
    cloud.upload()
    before = counters.present().totals
    with pytest.raises(TransitionRefused):
        steering.retry(Queues(cloud.sqs, cloud.settings("api")), VIDEO_ID, "admin")
    assert counters.present().totals == before


def test_every_level_has_everything_when_minutes_are_closed(cloud: Cloud) -> None:
    cloud.upload()
    cloud.drain()
    cloud.pass_time(300)
    happened = happenings(counters.present().totals)
    keep_books(cloud)
    assert not counters.present().minutes
    for level in Level:
        assert level_sum(level) == happened
    keep_books(cloud)  # once more changes nothing
    assert level_sum(Level.HOUR) == happened


def test_late_move_is_counted_when_its_minute_was_moved_on_before(cloud: Cloud) -> None:
    late = entry(VIDEO_ID, "video.cancelled", detail={"from": "QUEUED", "to": "CANCELLED"})
    cloud.upload()
    cloud.pass_time(300)
    keep_books(cloud)
    commit([late])
    keep_books(cloud)
    assert level_sum(Level.MINUTE)["cancelled"] == level_sum(Level.HOUR)["cancelled"] == 1


def test_minute_stays_when_something_is_added_while_it_is_moved_on(cloud: Cloud) -> None:
    commit([entry(VIDEO_ID, "video.cancelled", detail={})])
    items = counters.present().items
    cloud.pass_time(300)
    late = counters.Increment(items[0].pk, items[0].sk, {"cancelled": 1, "moves": 1})
    transact.commit_unlogged(late)
    (closed,) = rollup.closed(items)
    with pytest.raises(TransitionRefused):
        rollup.move_on(*closed)
    assert level_sum(Level.HOUR) == {}
    keep_books(cloud)
    assert level_sum(Level.HOUR) == {"cancelled": 2}


@pytest.mark.parametrize("wanted", stats.RANGES)
def test_window_has_what_happened_when_some_of_it_is_moved_on(cloud: Cloud, wanted: str) -> None:
    cloud.upload()
    cloud.drain()
    cloud.pass_time(240)
    keep_books(cloud)
    cloud.upload("b" * 26)
    cloud.drain()
    view = stats.view(Queues(cloud.sqs, cloud.settings("api")), wanted)
    window, series = view["window"], view["series"]
    assert (window["uploaded"], window["completed"], window["failed"]) == (2, 2, 0)
    assert window["error_rate"] == 0.0
    assert window["time_to_complete_s"]["count"] == 2
    assert sum(series["completed"]) == 2
    assert sum(series["cost_usd"]) == pytest.approx(window["cost_usd"], abs=1e-5)
    assert len(series["at"]) == stats.RANGES[wanted].seconds / view["step_s"]
    assert all(len(values) == len(series["at"]) for values in series["queue_depth"].values())
    assert any(depth == 0 for depth in series["queue_depth"]["probe"])
    assert len(series["queued"]) == len(series["at"])
    assert view["videos"]["completed"] == 2


def test_videos_that_wait_are_told_from_those_under_way_when_both_are_sampled(
    cloud: Cloud,
) -> None:
    states = {
        tally.video_state(VideoStatus.QUEUED): 2,
        tally.video_state(VideoStatus.PROCESSING): 1,
    }
    transact.commit_unlogged(
        counters.Increment(keys.tally_pk(0), keys.TALLY_TOTAL_SK, {**states, "moves": 1})
    )
    keep_books(cloud)
    series = stats.view(Queues(cloud.sqs, cloud.settings("api")), "1h")["series"]
    assert (series["active"][-1], series["queued"][-1]) == (3, 2)


def test_failed_task_is_a_dead_letter_of_its_queue_when_nobody_redrove_it(cloud: Cloud) -> None:
    queues = Queues(cloud.sqs, cloud.settings("api"))
    cloud.upload(body=b"")
    cloud.drain()
    (probe,) = [queue for queue in stats.view(queues, "1h")["queues"] if queue["name"] == "probe"]
    assert probe["dead_letters"] == 1


def test_quantile_lies_between_the_bounds_of_its_bucket_when_it_is_estimated() -> None:
    counts = [0] * (len(tally.BOUNDS_S) + 1)
    assert stats.quantile(counts, 0.5) is None
    counts[3] = 4  # above 3 s, up to 5 s
    assert stats.quantile(counts, 0.5) == 4.0
    counts[3], counts[-1] = 0, 1
    assert stats.quantile(counts, 0.95) == tally.BOUNDS_S[-1]


def test_oldest_age_is_told_when_a_task_waits(cloud: Cloud) -> None:
    cloud.upload()
    cloud.deliver("ingest")
    cloud.pass_time(30)
    found = stats.view(Queues(cloud.sqs, cloud.settings("api")), "1h")["queues"]
    ages = {queue["name"]: queue["oldest_age_s"] for queue in found}
    assert ages["probe"] == pytest.approx(30, abs=1)
    assert ages["transcode"] is None
    assert clock.age_s(cloud.video().created_at) >= 30
