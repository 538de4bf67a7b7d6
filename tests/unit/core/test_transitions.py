"""The state machine under every interleaving hypothesis can think of: workers that are alive, late,
slow or taken for dead, a publisher, a monitor, notifications that come again, and an admin who
cancels, retries and deletes. Each of them may die before any of its writes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from millrace import (
    heart,
    keeping,
    keys,
    media,
    plan,
    probing,
    publishing,
    seats,
    steering,
    tasks,
    transcoding,
    worker,
)
from millrace import videos as video_moves
from millrace.engine import Line, Stop
from millrace.errors import PermanentError, Reason, RetryableError, TransitionRefused
from millrace.events import TaskMessage
from millrace.model import TaskKind, VideoStatus
from millrace.outputs import Collector
from millrace.publishing import Press
from millrace.queues import Queues, queue_of
from millrace.turns import Turn
from millrace.worker import Job, Ticket, TryAgain, Workshop
from tests.unit.core.fake_engine import probe_result
from tests.unit.core.harness import VIDEO_ID, Cloud
from tests.unit.core.invariants import Observer
from tests.unit.core.wire import Crash

RESULT = probe_result(audio=0, duration_s=32.0)
PLAN = plan.make(media.parse(RESULT), chunk_segments=2, preset="veryfast")
SEGMENTS = 8
PROBE = TaskMessage(VIDEO_ID, TaskKind.PROBE, 0)
MESSAGES = [PROBE, *(TaskMessage(VIDEO_ID, kind, index) for kind, index in PLAN.tasks())]
CRASHED = RetryableError(Reason.ENGINE_CRASHED, "It crashed.")
DAMAGED = PermanentError(Reason.CORRUPT, "It is damaged.")
KEY = keys.upload_key(VIDEO_ID, ".mp4")
ALIVE = 0
DEATH = st.sampled_from([ALIVE] * 5 + [1, 2, 3, 4])
"""The write before which a process dies, or `ALIVE`."""
Result = TypeVar("Result")


@dataclass
class Worker:
    """One attempt, alive until it has come to its end or died; it may be slow beyond all measure
    and go on when nobody waits for it any more."""

    job: Job
    left: list[Line]
    """What it will yet make."""
    telling: transcoding._Telling | None = None
    collector: Collector = field(default_factory=Collector)

    @classmethod
    def of(cls, shop: Workshop, claim: tuple[tasks.Lease, object, object]) -> Worker:
        lease, task, video = claim
        beating = heart.Heart(lease, int(task.units), Stop(), lambda seconds: None, 60)  # type: ignore[attr-defined]
        job = Job(shop, lease, task, video, beating, Stop(), 0)  # type: ignore[arg-type]
        if lease.task.kind is not TaskKind.TRANSCODE:
            return cls(job, [])
        first, _ = _wanted(lease.task.index)
        return cls(job, _lines(lease), transcoding._telling(job, PLAN, ["180p"], first))


def _wanted(chunk: int) -> tuple[int, int | None]:
    """Its first segment, and how many it has; None: to the end."""
    return PLAN.grid.first_segment(chunk), PLAN.grid.segments_of(chunk)


def _lines(lease: tasks.Lease) -> list[Line]:
    """As the engine tells of a chunk. No two attempts make the same bytes."""
    made: list[Line] = [{"type": "init", "rendition": "180p", "path": "180p/init.mp4"}]
    made[0] = {**made[0], "codecs": "avc1.64001f"}
    first, count = _wanted(lease.task.index)
    for index in range(first, first + count if count else SEGMENTS):
        size = 20 + 2 * index + 40 * lease.attempt
        duration = {"num": PLAN.segment_s.numerator, "den": PLAN.segment_s.denominator}
        line = {"rendition": "180p", "index": index, "path": f"180p/{index:05d}.m4s"}
        sizes = {"bytes": size, "iframe_bytes": size // 2, "duration": duration}
        made.append({"type": "segment", **line, **sizes})
    return made


class Interleavings(RuleBasedStateMachine):
    """One video, any number of workers."""

    cloud: Cloud
    file: Path

    def __init__(self) -> None:
        super().__init__()
        self.cloud.clear()
        self.workers: list[Worker] = []
        names = ("probe", "transcode", "thumbnail")
        self.shops = {name: worker.open_shop(self.cloud.settings(name)) for name in names}
        shop = self.shops["transcode"]
        self.press = Press(self._queues("publish"), shop.uploads, shop.site)
        self.api = self._queues("api")
        self.observer = Observer(self.cloud, VIDEO_ID)
        self.cloud.upload(notify=False)
        self.etag = shop.uploads.head(KEY).etag  # type: ignore[union-attr]
        self.is_ended = True

    @initialize(phase=st.sampled_from([4, 3, 2, 4, 1, 0]), is_ended=st.integers(0, 3))
    def begin(self, phase: int, is_ended: int) -> None:
        """Somewhere on the way; near its end all is done but one chunk, which one works on, or a
        slow one and its backup. One in four is brought to its end, which takes longer than all
        before."""
        self.is_ended = is_ended == 0
        if phase > 0:
            self.arrive(self.etag, ALIVE)
        if phase > 1:
            self._work(PROBE)
        if phase > 2:
            self.receive(MESSAGES[-1], ALIVE)
            for message in MESSAGES[1:-1]:
                self._work(message)
            self.publish(ALIVE)
        if phase > 3:
            self.pass_time(15)
            self.receive(self.workers[0].job.lease.task, ALIVE)
            assert len(self.workers) == 2

    def _work(self, message: TaskMessage) -> None:
        before = len(self.workers)
        self.receive(message, ALIVE)
        assert len(self.workers) > before
        self._finish(self.workers[-1], ALIVE)

    @rule(etag=st.sampled_from(["right", "of something older"]), death=DEATH)
    def arrive(self, etag: str, death: int) -> None:
        self.cloud.notify(KEY, self.etag if etag != "of something older" else "0" * 32, 6)
        self._dying(death)
        self.cloud.deliver("ingest")
        self._dying(ALIVE)

    @rule(message=st.sampled_from(MESSAGES), death=DEATH)
    def receive(self, message: TaskMessage, death: int) -> None:
        """A task's message, sent by whoever and for whatever reason; it may lead to another."""
        self.cloud.forget_messages("transcode")
        name = f"worker-{len(self.workers)}"
        claim = self._run(death, lambda: worker._claim(self._shop(message), message, name))
        if claim is not None:
            self.workers.append(Worker.of(self._shop(message), claim))

    @precondition(lambda self: self.workers)
    @rule(data=st.data(), percent=st.integers(0, 100), death=DEATH)
    def beat(self, data: st.DataObject, percent: int, death: int) -> None:
        one = data.draw(st.sampled_from(self.workers)).job
        one.heart.progress(percent)
        self._run(death, one.heart._beat)
        if one.heart._stop.cause:
            self._run(ALIVE, lambda: self._end(one, "abandon"))

    @precondition(lambda self: self.workers)
    @rule(data=st.data(), death=DEATH)
    def store(self, data: st.DataObject, death: int) -> None:
        self._store(data.draw(st.sampled_from(self.workers)), death)

    @precondition(lambda self: self.workers)
    @rule(data=st.data(), death=DEATH)
    def finish(self, data: st.DataObject, death: int) -> None:
        self._finish(data.draw(st.sampled_from(self.workers)), death)

    @precondition(lambda self: self.workers)
    @rule(
        data=st.data(),
        how=st.sampled_from(["give_back"] * 4 + ["fail"] + ["abandon"] * 2),
        death=DEATH,
    )
    def end(self, data: st.DataObject, how: str, death: int) -> None:
        one = data.draw(st.sampled_from(self.workers))
        self.workers.remove(one)
        self._run(death, lambda: self._end(one.job, how))
        self._check_out(one, death)

    @rule(death=DEATH)
    def publish(self, death: int) -> None:
        self._run(death, lambda: publishing.attend(self.press, VIDEO_ID))

    @rule(seconds=st.sampled_from([1, 15, 40, 61, 700]))
    def pass_time(self, seconds: int) -> None:
        self.cloud.pass_time(seconds)

    @rule(recover=st.sampled_from([False, False, True]), death=DEATH)
    def monitor(self, recover: bool, death: int) -> None:
        self._dying(death)
        self.cloud.monitor({"recover": True} if recover else {})
        self._dying(ALIVE)

    @rule(chance=st.integers(0, 19), death=DEATH)
    def delete(self, chance: int, death: int) -> None:
        if chance == 0:
            self._run(death, lambda: video_moves.request_delete(self.api, VIDEO_ID, "admin"))

    @rule(chance=st.integers(0, 4), death=DEATH)
    def cancel(self, chance: int, death: int) -> None:
        if chance == 0:
            self._run(death, lambda: steering.cancel(self.api, VIDEO_ID, "admin"))

    @rule(chance=st.integers(0, 1), death=DEATH)
    def retry(self, chance: int, death: int) -> None:
        if chance == 0:
            self._run(death, lambda: steering.retry(self.api, VIDEO_ID, "admin"))

    @invariant()
    def all_is_well(self) -> None:
        self.observer.check()

    def teardown(self) -> None:
        """Whatever happened, patient workers bring it to an end."""
        if not self.is_ended:
            return
        for _ in range(20):
            video = video_moves.get(VIDEO_ID)
            if video is None:
                return
            if video.status == VideoStatus.COMPLETED and video.due_at is None:
                self.observer.check_end()
                return
            self.cloud.pass_time(130)
            self.retry(0, ALIVE)
            self.cloud.monitor()
            self.cloud.deliver("ingest")
            self.publish(ALIVE)
            for message in MESSAGES:
                self.receive(message, ALIVE)
            for one in self.workers.copy():
                self._finish(one, ALIVE)
            self.publish(ALIVE)
        raise AssertionError("it never ended")

    def _store(self, one: Worker, death: int) -> None:
        if not one.left:
            return
        line = one.left[0]
        self.file.write_bytes(bytes([one.job.lease.attempt]) * int(line.get("bytes", 9)))

        def store() -> bool:
            one.collector.add(keeping.keep(one.job, self.file, line))
            if one.telling:
                one.telling.look(one.collector)
            return True

        if self._run(death, store):
            one.left.pop(0)

    def _finish(self, one: Worker, death: int) -> None:
        while one.left and one in self.workers:
            self._store(one, death)
            death = max(ALIVE, death - 1)
        if one in self.workers:
            self.workers.remove(one)
            self._run(death, lambda: self._conclude(one))
            self._check_out(one, death)

    def _conclude(self, one: Worker) -> None:
        lease = one.job.lease
        try:
            if lease.task.kind is TaskKind.PROBE:
                found = one.job.task.output or {"media": RESULT, "plan": PLAN.to_json()}
                probing._remember(lease, found)
                probing.put_tasks(VIDEO_ID, PLAN, Turn())
                probing.begin(one.job.video, lease, RESULT, PLAN)
            elif lease.task.kind is TaskKind.THUMBNAIL:
                tasks.finish(lease, {})
            else:
                made = one.collector.tracks(["180p"], *_wanted(lease.task.index))
                tasks.finish(lease, {"tracks": {n: track.to_json() for n, track in made.items()}})
        except TransitionRefused as refusal:
            worker._abandon(one.job.shop, lease, str(refusal), self._ticket(one.job.shop))

    def _end(self, job: Job, how: str) -> None:
        if how == "give_back":
            worker._give_back(job.shop, job.lease, CRASHED, self._ticket(job.shop))
        elif how == "fail":
            worker._fail(job.shop, job.lease, DAMAGED)
        else:
            worker._abandon(job.shop, job.lease, "stopped", self._ticket(job.shop))

    def _ticket(self, shop: Workshop) -> Ticket:
        """A message that named some other task: it is not to come again for this one."""
        return Ticket(shop.queues, TaskMessage("b" * 26, TaskKind.AUDIO, 0), "no receipt")

    def _check_out(self, one: Worker, death: int) -> None:
        """A worker that came to its end has no seat at its task."""
        lease = one.job.lease
        task = tasks.get(lease.task)
        if task is not None and death == ALIVE:
            assert not tasks.is_held(task, lease)
            assert seats.seat_of(task, lease.attempt) is not seats.Seat.BACKUP

    def _queues(self, function: str) -> Queues:
        return Queues(self.cloud.sqs, self.cloud.settings(function))

    def _shop(self, message: TaskMessage) -> Workshop:
        return self.shops[queue_of(message.kind)]

    def _run(self, death: int, action: Callable[[], Result]) -> Result | None:
        """Do something as a function that dies before its n-th write, or lives."""
        self._dying(death)
        with suppress(Crash, TransitionRefused, TryAgain), self.cloud.wire.function():
            result = action()
            self._dying(ALIVE)
            return result
        self._dying(ALIVE)
        return None

    def _dying(self, death: int) -> None:
        wire = self.cloud.wire
        wire.moments, wire.kill_at = [], None if death == ALIVE else death


@pytest.mark.parametrize(
    ("number", "runs", "steps"),
    [
        *[(number, 125, 20) for number in range(1, 9)],
        pytest.param(9, 400, 40, marks=pytest.mark.exhaustive),
    ],
)
def test_no_interleaving_breaks_an_invariant_when_everything_races(
    cloud: Cloud, tmp_path: Path, number: int, runs: int, steps: int
) -> None:
    """A thousand interleavings, no two of a seed alike: hypothesis remembers what it has tried."""
    Interleavings.cloud, Interleavings.file = cloud, tmp_path / "file.m4s"
    run_state_machine_as_test(
        seed(number)(Interleavings),
        settings=settings(
            max_examples=runs,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],  # shrinking would take minutes; the steps are told anyway
        ),
    )
