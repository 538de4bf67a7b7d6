"""The life of a task message, common to all kinds of tasks: start → work under a heartbeat →
done | given back for a retry | failed with a dead letter.

Returning means: the message is settled, SQS may delete it. `TryAgain` means: it comes back.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from millrace import (
    attempts,
    clients,
    events,
    heart,
    queues,
    scratch,
    stragglers,
    tasks,
    trace_ids,
    turns,
    videos,
    workers,
)
from millrace.config import Settings
from millrace.deadletters import awaits_burial, bury
from millrace.engine import Engine, Line, Stop
from millrace.errors import (
    MillraceError,
    PermanentError,
    Reason,
    RetryableError,
    Stopped,
    TransitionRefused,
)
from millrace.events import MalformedMessage, TaskMessage
from millrace.heart import Heart
from millrace.metrics import Metric, record, tell
from millrace.model import Task, TaskKind, TaskStatus, Video
from millrace.queues import Queues
from millrace.storage import Bucket
from millrace.tasks import Lease

SAFETY_S = 15.0
"""Left of the function's time for ending an attempt in good order."""
RETRY_DELAYS_S = (1, 2, 4)
_FEWEST_SECONDS = 5.0
_REST_STEPS_BACK, _THUMBNAILS_STEP_BACK = 10, 15

log = Logger(child=True)


class TryAgain(Exception):  # noqa: N818 - tells SQS to deliver the message again
    """The message is not settled."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """What workers work with."""

    settings: Settings
    queues: Queues
    engine: Engine
    uploads: Bucket
    site: Bucket
    beat_s: float = 2.0
    """Seconds between two heartbeats of a small video's task."""


def open_shop(settings: Settings, *, beat_s: float = 2.0) -> Workshop:
    """The workshop of a function, at cold start. The probe has no site bucket."""
    scratch.sweep()
    s3 = clients.s3()
    return Workshop(
        settings,
        Queues(clients.sqs(), settings),
        Engine(settings.engine),
        Bucket(s3, settings.uploads_bucket),
        Bucket(s3, settings.site_bucket),
        beat_s,
    )


@dataclass(slots=True)
class Reading:
    """What an attempt read of the source, by all its runs of the engine."""

    bytes_read: int = 0

    def add(self, result: Line) -> None:
        read = result.get("bytes_read") or (result.get("format") or {}).get("bytes_read") or 0
        record(Metric.SOURCE_BYTES_READ, int(read))
        self.bytes_read += int(read)


@dataclass(frozen=True, slots=True)
class Job:
    """One attempt at one task."""

    shop: Workshop
    lease: Lease
    task: Task
    video: Video
    heart: Heart
    stop: Stop
    deadline: float
    """On the monotonic clock."""
    started: float = field(default_factory=time.monotonic)
    reading: Reading = field(default_factory=Reading)

    @property
    def told(self) -> dict[str, float]:
        """For the log: what was read of the source, in bytes and as a part of the whole."""
        read, whole = self.reading.bytes_read, int(self.video.source_bytes or 0)
        return {"bytes_read": read, "source_share": round(read / whole, 4) if whole else 0.0}

    @property
    def left_s(self) -> float:
        return max(_FEWEST_SECONDS, self.deadline - time.monotonic())

    def announce(self, what: str) -> None:
        """Have the playlists brought up to date in the middle of the work.

        Args:
            what: there is now; makes the message distinct.
        """
        _announce(self.shop, self.lease.task, f"{self.lease.attempt}-{what}")

    def run_engine(
        self, command: str, *options: str, on_line: Callable[[Line], None] | None = None
    ) -> Line:
        """Run the engine on the video's source, which must still be the one that arrived.

        Raises:
            PermanentError, RetryableError, Stopped: as `Engine.run`.
        """
        settings = self.shop.settings
        url = self.shop.uploads.presigned_get(self.video.upload_key, int(self.left_s) + 60)
        limits = ["--max-pixels", str(settings.max_pixels)]
        limits += ["--max-duration-s", str(settings.max_duration_s)]
        limits += ["--max-memory-bytes", str(settings.max_memory_bytes)]
        limits += ["--max-output-bytes", str(settings.max_output_bytes)]
        limits += ["--sandbox", settings.sandbox]

        def handle(line: Line) -> None:
            self.stop.check()
            if line["type"] == "progress":
                self.heart.progress(float(line.get("percent") or 0))
            elif line["type"] == "warning":
                log.warning("engine.warning", extra={"code": line.get("code")})
            if on_line is not None:
                on_line(line)

        arguments = [command, url, "--if-match", f'"{self.video.source_etag}"', *limits, *options]
        result = self.shop.engine.run(
            arguments,
            timeout_s=self.left_s,
            stop=self.stop,
            niceness=_niceness(self.lease.task),
            on_line=handle,
            on_start=self.heart.meter.watch,
        )
        self.reading.add(result)
        return result


def _niceness(task: TaskMessage) -> int:
    """Where tasks share a machine, what makes a video playable goes first. Of the sound that is its
    beginning, which takes no time."""
    if task.kind is TaskKind.THUMBNAIL:
        return _THUMBNAILS_STEP_BACK
    first = task.kind in (TaskKind.PROBE, TaskKind.TRANSCODE) and task.index == 0
    return 0 if first else _REST_STEPS_BACK


@dataclass(frozen=True, slots=True)
class Ticket:
    """The message that woke a worker: the right to run one task of its queue."""

    queues: Queues
    named: TaskMessage
    receipt: str

    def hold(self, seconds: int) -> None:
        """Keep it invisible for so long from now."""
        self.queues.hold(queues.queue_of(self.named.kind), self.receipt, seconds)


Work = Callable[[Job], None]
"""Does a task and makes its closing move; raises what `Job.run_engine` and the move raise."""


def handle(shop: Workshop, message: SQSRecord, context: LambdaContext, work: Work) -> None:
    """Take one message of a task queue to its end.

    Raises:
        TryAgain: SQS is to deliver it again.
    """
    name = context.function_name.rpartition("-")[2]
    try:
        wanted = events.parse_task(message.body)
    except MalformedMessage as error:
        reject(shop.queues, name, message.body, error)
        return
    ticket = Ticket(shop.queues, wanted, message.receipt_handle)
    claim = _claim(shop, wanted, workers.name(context))
    if claim is None:
        return
    deadline = time.monotonic() + context.get_remaining_time_in_millis() / 1000 - SAFETY_S
    _attempt(shop, claim, ticket, deadline, work)


def reject(queues: Queues, name: str, body: str, error: MalformedMessage) -> None:
    """Keep a message nobody can read in the dead-letter queue of `name`, loudly."""
    log.error("message.rejected", extra={"reason": error.reason, "why": error.message})
    record(Metric.MESSAGES_REJECTED)
    queues.send_unreadable(name, body, error.reason, error.message)


def _claim(shop: Workshop, wanted: TaskMessage, worker: str) -> tuple[Lease, Task, Video] | None:
    """A task to work on: the most urgent one, see `turns`; None if there is nothing to do."""
    log.append_keys(**trace_ids.log_keys(wanted.video_id), task_id=wanted.task_id)
    if claim := _first(turns.order(wanted), worker):
        return claim
    task = tasks.get(wanted)
    if task is not None and tasks.is_lost(task):
        # Its message came back before the monitor looked: the silent worker is replaced here.
        return _take_over(shop, wanted, task, worker)
    if task is not None and (claim := stragglers.back_up(shop.queues, task, worker)):
        return claim
    _settle(shop, wanted, task)
    return _first(turns.others(wanted), worker)


def _first(wanted: Iterator[TaskMessage], worker: str) -> tuple[Lease, Task, Video] | None:
    """The first of these tasks that can be started."""
    for task in wanted:
        with suppress(TransitionRefused):
            claim = tasks.start(task, worker)
            log.append_keys(**trace_ids.log_keys(task.video_id), task_id=task.task_id)
            return claim
    return None


def _take_over(
    shop: Workshop, wanted: TaskMessage, task: Task, worker: str
) -> tuple[Lease, Task, Video] | None:
    record(Metric.WORKERS_LOST)
    lost = tasks.lease_of(task)
    try:
        attempts.give_back(lost, attempts.LOST)
        workers.replaced(lost)
        return tasks.start(wanted, worker)
    except TransitionRefused:
        _settle(shop, wanted, tasks.get(wanted))
        return None


def _settle(shop: Workshop, wanted: TaskMessage, task: Task | None) -> None:
    """A message whose task is not to be started: finish what a crash may have left undone."""
    log.info("task.not_started", extra={"status": task.status if task else "gone"})
    if task is None:
        return
    if task.status == TaskStatus.DONE:
        _announce(shop, wanted, str(int(task.attempt)))
    elif awaits_burial(task):
        _bury(shop, task)
    elif task.status == TaskStatus.PENDING and not _is_wanted(wanted):
        tasks.cancel_pending(task)


def _is_wanted(wanted: TaskMessage) -> bool:
    video = videos.get(wanted.video_id)
    return video is not None and video.status in videos.ACTIVE


def _attempt(
    shop: Workshop,
    claim: tuple[Lease, Task, Video],
    ticket: Ticket,
    deadline: float,
    work: Work,
) -> None:
    lease, task, video = claim
    stop = Stop()
    every_s = heart.interval_s(shop.beat_s, int(video.tasks_total))
    log.info("task.started", extra={"attempt": lease.attempt})
    try:
        with Heart(lease, int(task.units), stop, ticket.hold, every_s) as beating:
            job = Job(shop, lease, task, video, beating, stop, deadline)
            _work(job, work)
    except (Stopped, TransitionRefused) as error:
        _abandon(shop, lease, str(error), ticket)
    except PermanentError as error:
        _fail(shop, lease, error)
    except RetryableError as error:
        _give_back(shop, lease, error, ticket)
    else:
        _announce(shop, lease.task, str(lease.attempt))
        record(Metric.TASKS_DONE)
        tell({Metric.TASK_SECONDS: time.monotonic() - job.started}, kind=lease.task.kind.value)
        log.info("task.done", extra={"attempt": lease.attempt})


def _work(job: Job, work: Work) -> None:
    """The edge: whatever goes wrong below becomes an error with a reason."""
    try:
        work(job)
    except (MillraceError, Stopped, TransitionRefused):
        raise
    except (BotoCoreError, ClientError, PynamoDBException) as error:
        log.exception("aws.failed")
        message = "A request to storage, queue or database failed."
        raise RetryableError(Reason.OUTPUT_FAILED, message) from error
    except Exception as error:
        log.exception("task.crashed")
        message = f"An unexpected {type(error).__name__} ended the work."
        raise RetryableError(Reason.INTERNAL, message) from error


def _abandon(shop: Workshop, lease: Lease, cause: str, ticket: Ticket) -> None:
    """The work was stopped or its closing move refused: settle the task if it is still ours."""
    log.info("task.abandoned", extra={"cause": cause})
    tasks.sign_off(lease)
    if not _is_wanted(lease.task):
        with suppress(TransitionRefused):
            attempts.cancel(lease)
        # A purge may be waiting for us.
        _announce(shop, lease.task, f"{lease.attempt}-end")
    if _is_wanted(lease.task):  # perhaps since a moment ago: a retry
        _give_back(shop, lease, RetryableError(Reason.INTERNAL, f"Interrupted: {cause}."), ticket)


def _fail(shop: Workshop, lease: Lease, error: PermanentError) -> None:
    log.error("task.failed", extra={"reason": error.reason, "why": error.message})
    try:
        task = attempts.fail(lease, error)
    except TransitionRefused:
        tasks.sign_off(lease)
        return
    _bury(shop, task)


def _give_back(shop: Workshop, lease: Lease, error: RetryableError, ticket: Ticket) -> None:
    log.warning("task.retried", extra={"reason": error.reason, "why": error.message})
    try:
        task = attempts.give_back(lease, error)
    except TransitionRefused:
        tasks.sign_off(lease)
        return
    if task.status == TaskStatus.RUNNING:
        return  # another attempt goes on with it
    if task.status == TaskStatus.DEAD:
        _bury(shop, task)
        return
    record(Metric.TASKS_RETRIED)
    number = min(attempts.failures(task), len(RETRY_DELAYS_S))
    delay_s = RETRY_DELAYS_S[max(number, 1) - 1]
    if lease.task != ticket.named:
        # The message that names it may be anywhere, and this one names another that still waits.
        shop.queues.send_task(lease.task, delay_s)
        return
    ticket.hold(delay_s)
    raise TryAgain(error.message) from error


def _bury(shop: Workshop, task: Task) -> None:
    bury(shop.queues, task)
    record(Metric.TASKS_FAILED)
    _announce(shop, TaskMessage.of(task), f"{int(task.attempt)}-end")


def _announce(shop: Workshop, task: TaskMessage, cause: str) -> None:
    """Have the playlists brought up to date."""
    shop.queues.send_publish(task.video_id, f"{task.task_id}-{cause}")
