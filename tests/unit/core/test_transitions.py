"""The state machine under every interleaving hypothesis can think of: workers that are alive, late
or taken for dead, a publisher, a monitor, and an admin who cancels, retries and deletes."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from millrace import attempts, media, plan, probing, publishing, steering, tasks, videos
from millrace.errors import MillraceError, Reason, RetryableError, TransitionRefused
from millrace.events import TaskMessage
from millrace.model import Task, TaskKind, TaskStatus, Video, VideoStatus
from millrace.outputs import Segment, Track
from millrace.publishing import Press
from millrace.queues import Queues
from millrace.replay import observed, replay
from millrace.storage import Bucket
from millrace.tasks import Lease, Load
from millrace.turns import Turn
from tests.unit.core.fake_engine import probe_result
from tests.unit.core.harness import SITE, UPLOADS, VIDEO_ID, Cloud

RESULT = probe_result(audio=0)
PLAN = plan.make(media.parse(RESULT), chunk_segments=2, preset="veryfast")
MESSAGES = [
    TaskMessage(VIDEO_ID, TaskKind.PROBE, 0),
    *(TaskMessage(VIDEO_ID, kind, index) for kind, index in PLAN.tasks()),
]
ERROR = RetryableError(Reason.ENGINE_CRASHED, "It crashed.")
LIVE = (TaskStatus.PENDING, TaskStatus.RUNNING)


def output(message: TaskMessage) -> dict[str, Any]:
    if message.kind is TaskKind.THUMBNAIL:
        return {}
    count = 2
    segments = tuple(Segment(1000, PLAN.segment_s) for _ in range(count))
    return {"tracks": {"180p": Track("v", 2 * message.index, segments).to_json()}}


class Interleavings(RuleBasedStateMachine):
    """One video, any number of workers; every lease ever given stays in use."""

    cloud: Cloud

    def __init__(self) -> None:
        super().__init__()
        self.cloud.clear()
        self.leases: list[Lease] = []
        self.told: dict[Lease, int] = {}
        queues = Queues(self.cloud.sqs, self.cloud.settings("publish"))
        buckets = (Bucket(self.cloud.s3, name) for name in (UPLOADS, SITE))
        self.press = Press(queues, *buckets)
        self.cloud.upload()
        self.cloud.deliver("ingest")

    @rule(message=st.sampled_from(MESSAGES))
    def start(self, message: TaskMessage) -> None:
        try:
            lease, _, _ = tasks.start(message, f"worker-{len(self.leases)}")
        except TransitionRefused:
            return
        self.leases.append(lease)
        self.told[lease] = 0

    @rule(data=st.data(), percent=st.integers(0, 100))
    def beat(self, data: st.DataObject, percent: int) -> None:
        if not self.leases:
            return
        lease = data.draw(st.sampled_from(self.leases))
        task = tasks.get(lease.task)
        units = int(task.units) * percent // 100 if task else 0
        held = self._is_held(lease)
        try:
            self.told[lease] = tasks.beat(lease, self.told[lease], units, Load(1.0, 1))
        except TransitionRefused:
            return
        assert held

    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        if not self.leases:
            return
        lease = data.draw(st.sampled_from(self.leases))
        held = self._is_held(lease)
        try:
            if lease.task.kind is TaskKind.PROBE:
                probing.put_tasks(VIDEO_ID, PLAN, Turn())
                probing.begin(lease, RESULT, PLAN)
            else:
                tasks.finish(lease, output(lease.task))
        except TransitionRefused:
            return
        assert held

    @rule(data=st.data(), how=st.sampled_from(["give_back", "free", "fail", "cancel"]))
    def end(self, data: st.DataObject, how: str) -> None:
        if not self.leases:
            return
        lease = data.draw(st.sampled_from(self.leases))
        held = self._is_held(lease)
        try:
            if how in ("give_back", "free"):
                attempts.give_back(lease, ERROR, counted=how == "give_back")
            elif how == "fail" and data.draw(st.integers(0, 9)) == 0:
                attempts.fail(lease, MillraceError(Reason.CORRUPT, "It is damaged."))
            elif how == "cancel" and not self._video_is_active():
                attempts.cancel(lease)
            else:
                return
        except TransitionRefused:
            return
        assert held

    @rule()
    def publish(self) -> None:
        publishing.attend(self.press, VIDEO_ID)

    @rule(seconds=st.sampled_from([1, 61]), recover=st.booleans())
    def monitor(self, seconds: int, recover: bool) -> None:
        self.cloud.pass_time(seconds)
        self.cloud.monitor({"recover": True} if recover else {})

    @rule(chance=st.integers(0, 19))
    def delete(self, chance: int) -> None:
        if chance == 0:
            videos.request_delete(self.press.queues, VIDEO_ID, "admin")

    @rule(chance=st.integers(0, 4))
    def cancel(self, chance: int) -> None:
        if chance == 0:
            with suppress(TransitionRefused):
                steering.cancel(self.press.queues, VIDEO_ID, "admin")

    @rule(chance=st.integers(0, 1))
    def retry(self, chance: int) -> None:
        if chance == 0:
            with suppress(TransitionRefused):
                steering.retry(self.press.queues, VIDEO_ID, "admin")

    @invariant()
    def a_video_under_way_has_no_ended_task_unless_it_is_being_revived(self) -> None:
        items = self.cloud.items()
        ended = [i for i in items if isinstance(i, Task) and i.status in steering._ENDED]
        for video in (item for item in items if isinstance(item, Video)):
            if video.status in videos.ACTIVE and video.reviving_since is None:
                assert ended == []
            if video.reviving_since is not None and video.status in videos.ACTIVE:
                assert video.due_at is not None

    @invariant()
    def what_is_unfinished_is_due(self) -> None:
        items = self.cloud.items()
        for item in items:
            if isinstance(item, Task) and item.status in LIVE:
                planned = item.task_kind == TaskKind.PROBE or self._was_planned(items)
                assert item.due_at is not None or not planned, item.task_id
            if isinstance(item, Video) and item.status in ("PROCESSING", "DELETING"):
                assert item.due_at is not None

    @invariant()
    def sums_are_exact(self) -> None:
        items = self.cloud.items()
        done = [task for task in items if isinstance(task, Task) and task.task_kind != "probe"]
        for video in (item for item in items if isinstance(item, Video)):
            assert video.units_done == sum(int(task.units_done) for task in done)
            assert video.tasks_done == sum(task.status == TaskStatus.DONE for task in done)
            if video.status == VideoStatus.COMPLETED:
                assert video.tasks_done == video.tasks_total
                assert video.units_done == video.units_total

    @invariant()
    def log_tells_the_state(self) -> None:
        items = self.cloud.items()
        if not items:
            return
        told, seen = replay(self.cloud.log()), observed(items)
        if not self._was_planned(items):  # tasks are put before the video is PROCESSING
            fresh = (TaskStatus.PENDING.value, 0)
            seen.tasks = {
                name: state
                for name, state in seen.tasks.items()
                if name in told.tasks or state != fresh
            }
        assert told == seen
        assert told.completions <= 1

    def teardown(self) -> None:
        """Whatever happened, patient workers bring it to an end."""
        for _ in range(8 * len(MESSAGES)):
            self.cloud.pass_time(61)
            self.cloud.monitor()
            for message in MESSAGES:
                self.start(message)
            for lease in self.leases:
                self._finish_or_cancel(lease)
            publishing.attend(self.press, VIDEO_ID)
            video = videos.get(VIDEO_ID)
            if video is None or video.status in (VideoStatus.COMPLETED, *steering.HALTED):
                return
        raise AssertionError("it never ended")

    def _finish_or_cancel(self, lease: Lease) -> None:
        try:
            if not self._video_is_active():
                attempts.cancel(lease)
            elif lease.task.kind is TaskKind.PROBE:
                probing.put_tasks(VIDEO_ID, PLAN, Turn())
                probing.begin(lease, RESULT, PLAN)
            else:
                tasks.finish(lease, output(lease.task))
        except TransitionRefused:
            return

    def _is_held(self, lease: Lease) -> bool:
        task = tasks.get(lease.task)
        return task is not None and tasks.is_held(task, lease)

    def _video_is_active(self) -> bool:
        video = videos.get(VIDEO_ID)
        return video is not None and video.status in videos.ACTIVE

    def _was_planned(self, items: list[Any]) -> bool:
        return any(isinstance(item, Video) and item.tasks_total for item in items)


def test_no_interleaving_breaks_an_invariant_when_workers_race(cloud: Cloud) -> None:
    Interleavings.cloud = cloud
    run_state_machine_as_test(
        Interleavings,
        settings=settings(
            max_examples=25,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
