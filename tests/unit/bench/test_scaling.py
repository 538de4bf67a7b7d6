"""The simulation's mechanics beside what queueing theory and AWS's pages say in closed form."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import replace

import pytest
import simpy

from bench.scaling.clouds import Deployment, aws
from bench.scaling.cost import cost
from bench.scaling.measured import Line, Run, ServiceTimes
from bench.scaling.quotas import SOURCES, Quotas
from bench.scaling.scenarios import Consumed, best_chunk, day, makespan, validate
from bench.scaling.servers import Cores, Function, Rate, Steps
from bench.scaling.video import Source, Video

SERVICE = ServiceTimes(
    chunk=Line(0.5, 1.0),
    chunk_threads_used=2.0,
    audio=Line(0.0, 0.01),
    stills=Line(0.0, 0.02),
    probe_engine_cpu_s=0.1,
    ingest_s=0.05,
    probe_overhead_s=0.2,
    task_overhead_s=0.3,
    publish_s=0.1,
    init_zip_s=0.5,
    init_image_s=1.0,
    message_s=0.03,
    move_units=20,
    beat_units=8,
    index_units=2,
)


def function(
    env: simpy.Environment, at_most: int, *, init_s: float = 0.0, grow: bool = False
) -> Function:
    account = simpy.Resource(env, 10**6)
    quotas = Quotas(pollers_at_most=max(1000, at_most))
    return Function(env, account, quotas, at_most=at_most, init_s=init_s, pollers_grow=grow)


def erlang_c(servers: int, offered: float) -> float:
    """The chance of having to wait in M/M/c."""
    last = offered**servers / math.factorial(servers) * servers / (servers - offered)
    return last / (sum(offered**n / math.factorial(n) for n in range(servers)) + last)


@pytest.mark.parametrize(("servers", "load"), [(1, 0.5), (3, 0.7), (20, 0.8)])
def test_queue_waits_as_erlang_says_when_arrivals_and_services_are_random(
    servers: int, load: float
) -> None:
    env, chance = simpy.Environment(), random.Random(7)
    queue = function(env, servers)

    def work() -> Steps:
        yield env.timeout(chance.expovariate(1.0))

    env.process(arrivals(env, chance, servers * load, lambda: queue.send(work), 12_000))
    env.run()
    waits = queue.usage.waits_s
    expected = erlang_c(servers, servers * load) / (servers - servers * load)
    assert sum(waits) / len(waits) == pytest.approx(expected, rel=0.1)
    waited = sum(wait > 0 for wait in waits) / len(waits)
    assert waited == pytest.approx(erlang_c(servers, servers * load), rel=0.1)


def arrivals(
    env: simpy.Environment,
    chance: random.Random,
    rate: float,
    arrive: Callable[[], object],
    count: int,
) -> Steps:
    for _ in range(count):
        yield env.timeout(chance.expovariate(rate))
        arrive()


def test_cores_respond_as_processor_sharing_says_when_work_is_random() -> None:
    env, chance = simpy.Environment(), random.Random(11)
    cores, took = Cores(env, 1), list[float]()

    def job() -> Steps:
        began = env.now
        yield cores.run(chance.expovariate(1.0))
        took.append(env.now - began)

    env.process(arrivals(env, chance, 0.7, lambda: env.process(job()), 6_000))
    env.run()
    assert sum(took) / len(took) == pytest.approx(1 / (1 - 0.7), rel=0.08)


def test_cores_are_divided_when_some_work_cannot_use_its_part() -> None:
    env = simpy.Environment()
    cores = Cores(env, 4)
    narrow, wide = cores.run(2, cores=1), cores.run(9, cores=8)
    env.run(until=narrow)
    assert env.now == pytest.approx(2)
    env.run(until=wide)
    assert env.now == pytest.approx(2 + (9 - 2 * 3) / 4)
    assert cores.busy_s == pytest.approx(11)


def test_rate_holds_back_when_more_is_asked_than_a_second_has() -> None:
    env = simpy.Environment()
    rate = Rate(env, 10)
    waits = []
    for _ in range(4):
        asked = rate.take(10)
        env.run(until=asked)
        waits.append(env.now)
    assert waits == pytest.approx([0, 1, 2, 3])
    assert rate.units == 40


def test_mapping_grows_by_three_hundred_a_minute_when_messages_wait() -> None:
    env = simpy.Environment()
    queue, starts = function(env, 1000, grow=True), list[float]()

    def work() -> Steps:
        starts.append(env.now)
        yield env.timeout(10_000)

    for _ in range(400):
        queue.send(work)
    env.run(until=61)
    assert [at for at in starts if at == 0] == [0] * 5
    assert starts[5] == pytest.approx(0.2)
    assert len(starts) == pytest.approx(5 + 300 * 61 / 60, abs=1)


def test_environments_come_a_thousand_at_once_and_then_a_hundred_a_second() -> None:
    env = simpy.Environment()
    queue, starts = function(env, 2500, init_s=1.0), list[float]()

    def work() -> Steps:
        starts.append(env.now)
        yield env.timeout(10_000)

    for _ in range(2500):
        queue.send(work)
    env.run(until=20)
    assert sum(at <= 1.0 for at in starts) >= 1000
    assert starts[-1] == pytest.approx(1 + (1500 - 100) / 100, abs=0.1)
    assert queue.usage.cold_starts == 2500


def test_executions_wait_when_the_account_has_no_more() -> None:
    env = simpy.Environment()
    quotas = Quotas(concurrency=3)
    cloud = aws(env, SERVICE, quotas, Deployment(transcode_concurrency=50))
    videos = [Video(cloud, Source(320.0)) for _ in range(2)]
    env.run(until=env.all_of([video.start() for video in videos]))
    slow = max(video.completed_s or 0 for video in videos)
    work_s = 2 * (SERVICE.chunk.cpu_s(32) * 10) / (4096 / 1769)
    assert slow > work_s / 3


def test_one_worker_takes_the_sum_of_the_work_when_it_is_alone() -> None:
    made = makespan(SERVICE, 320.0, 1, 8)
    chunk_s = SERVICE.chunk.cpu_s(32) / (4096 / 1769) + SERVICE.task_overhead_s
    audio_s = SERVICE.audio.cpu_s(320) + SERVICE.task_overhead_s
    assert made.completed_s == pytest.approx(10 * chunk_s + audio_s, rel=0.05)
    assert made.most_at_once == 1


def test_more_workers_never_take_longer_and_cost_the_same_when_the_chunks_are_the_same() -> None:
    spans = [makespan(SERVICE, 1200.0, workers, 4) for workers in (1, 4, 16, 64)]
    times = [span.completed_s for span in spans]
    assert times == sorted(times, reverse=True)
    assert times[0] / times[1] == pytest.approx(4, rel=0.1)
    bills = [cost(span.consumed, "x86_64").compute for span in spans]
    assert max(bills) < 1.15 * min(bills)


def test_time_to_playable_does_not_grow_when_the_video_is_longer() -> None:
    short, long = (makespan(SERVICE, seconds, 50, 8).playable_s for seconds in (60.0, 3600.0))
    # Sound is one task for the whole track.
    assert long - short < SERVICE.audio.cpu_s(3600) / 1


def test_partition_is_what_waits_when_moves_cost_too_many_units() -> None:
    heavy = replace(SERVICE, move_units=2000)
    quick, slow = (makespan(each, 1200.0, 300, 1) for each in (SERVICE, heavy))
    assert slow.table_waited_s > 0
    assert slow.completed_s >= 300 * 2000 / 1000
    assert quick.completed_s < slow.completed_s


def test_day_is_stable_when_there_is_room_and_is_not_when_there_is_none() -> None:
    calm = day(SERVICE, 5_000, 60.0, 1000, hours=0.5)
    # 1.4 a second, 28 s of work each, are 39 functions at work.
    flooded = day(SERVICE, 60_000, 60.0, 15, hours=0.25)
    assert calm.unfinished < 0.2 * calm.completed
    assert calm.wait_p50_s < 1
    assert flooded.unfinished > flooded.completed
    assert flooded.most_at_once <= 15


def test_machine_is_busy_all_the_time_when_many_videos_come_at_once() -> None:
    run = Run("six", 60.0, 8, 6, 2, 2, wall_s=200.0, playable_s=10.0)
    found = validate(SERVICE, run)
    chunks_s = 6 * (SERVICE.chunk.cpu_s(32) + SERVICE.chunk.cpu_s(28))
    assert found.wall_s >= chunks_s / 2
    assert found.wall_s < 1.2 * chunks_s / 2
    assert found.error == pytest.approx(found.wall_s / 200 - 1)


def test_bill_adds_up_when_prices_are_round() -> None:
    prices = {
        "lambda": {"per_gb_s": {"x86_64": 2.0}, "per_million_requests": 1e6},
        "dynamodb_on_demand": {"per_million_write_units": 1e6, "per_million_read_units": 1},
        "s3_standard": {"per_thousand_writes": 1e3, "per_thousand_reads": 1e3},
        "sqs": {"per_million_requests": 1e6},
    }
    used = Consumed(gb_s=3, invocations=4, table_units=5, s3_writes=6, s3_reads=7)
    bill = cost(used, "x86_64", prices)
    assert (bill.compute, bill.requests, bill.table) == pytest.approx((6, 4, 5))
    assert (bill.objects, bill.queues) == pytest.approx((13, 12))
    assert bill.total == pytest.approx(40)


def test_chunks_fit_the_workers_when_there_are_more_than_chunks_of_eight() -> None:
    assert [best_chunk(3600, workers) for workers in (1, 100, 450, 1000)] == [8, 8, 2, 1]


def test_every_quota_names_its_page() -> None:
    assert all(page.startswith("https://docs.aws.amazon.com/") for page in SOURCES.values())
