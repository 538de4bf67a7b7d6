"""What was served, as all processes together tell of it."""

from __future__ import annotations

from collections import Counter

import pytest

from millrace import counters, model, served
from millrace.served import Counted, Served
from tests.unit.core.calling import Gateway
from tests.unit.core.harness import Cloud


class Watch:
    """A clock that is set by hand."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def told() -> Counter[str]:
    return counters.present().served


def test_sum_is_right_when_several_processes_served(cloud: Cloud) -> None:
    for _ in range(5):
        process = Served()
        process.request(12.5, 200)
        process.tell()
    assert told() == {"api_2xx": 5, "api_le_25": 5, "api_us": 62_500}


def test_busy_process_writes_once_a_second_and_loses_nothing_when_it_goes_on(cloud: Cloud) -> None:
    watch = Watch()
    process = Served(watch)
    for _ in range(50):
        process.request(1, 200)
        process.tell()
        watch.now_s += 0.03
    assert told()["api_2xx"] == 35  # the first, and what had come a second later
    watch.now_s += 1
    process.request(1, 404)
    process.tell()
    assert (told()["api_2xx"], told()["api_4xx"]) == (50, 1)


@pytest.mark.parametrize(
    ("duration_ms", "bound"), [(0, 10), (10, 10), (10.1, 25), (10_000, 10_000), (10_001, None)]
)
def test_answer_is_in_one_bucket_when_counted(
    cloud: Cloud, duration_ms: float, bound: int | None
) -> None:
    process = Served()
    process.request(duration_ms, 503)
    process.tell()
    buckets = {name: n for name, n in told().items() if name.startswith("api_le_")}
    assert buckets == {served.bucket(bound): 1}


def test_nothing_is_lost_when_the_table_was_away(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = Watch()
    process = Served(watch)
    process.signal(Counted.MESSAGES)
    with monkeypatch.context() as away:
        away.setattr(model.Item.Meta, "table_name", "gone")
        away.setattr(model.Item, "_connection", None)
        process.tell()
    assert not told()
    watch.now_s += 1
    process.tell()
    assert told() == {"signal_messages": 1}


def test_served_is_no_minute_and_no_move_when_counters_are_read(cloud: Cloud) -> None:
    process = Served()
    process.request(1, 200)
    process.tell()
    present = counters.present()
    assert (present.totals, present.items) == (Counter(), [])


def test_sockets_are_counted_when_callers_come_and_go(cloud: Cloud) -> None:
    gateway = Gateway()
    gateway.exchange = gateway.exchange_of(Served(iter(range(0, 900, 2)).__next__))
    phone = gateway.connect()
    phone.send("ping")
    phone.send("leave")  # a room that it is not in
    phone.vanish()
    assert told() == {
        **{"signal_connections": 1, "signal_disconnections": 1},
        **{"signal_messages": 2, "signal_refusals": 1},
    }


def test_error_is_counted_and_goes_on_when_signalling_fails(cloud: Cloud) -> None:
    gateway = Gateway()
    phone = gateway.connect()
    gateway.exchange = gateway.exchange_of(Served())

    def break_down() -> None:
        raise RuntimeError

    gateway.before_post = break_down
    with pytest.raises(RuntimeError):
        phone.send("ping")
    assert told()["signal_errors"] == 1
