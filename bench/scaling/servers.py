"""What work waits for: a machine's cores, shared; a rate that must not be exceeded; and functions
behind a queue, with everything AWS says about how fast they become more."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

import simpy

from bench.scaling.quotas import Quotas

Steps = Generator[simpy.Event, Any, None]
"""A simulated process."""
_DONE = 1e-9
"""Work below this is rounding."""


@dataclass
class _Job:
    left: float
    """Core seconds."""
    cores: float
    ended: simpy.Event


class Cores:
    """Processor sharing: running jobs divide the cores, each using no more than it can."""

    def __init__(self, env: simpy.Environment, cores: float) -> None:
        self._env = env
        self._cores = cores
        self._jobs: list[_Job] = []
        self._updated = env.now
        self._turn = 0
        self.busy_s = 0.0
        """Core seconds spent so far."""

    def run(self, core_s: float, cores: float = 1.0) -> simpy.Event:
        """An event at the end of work of `core_s` that can use up to `cores`."""
        self._progress()
        job = _Job(core_s, cores, self._env.event())
        self._jobs.append(job)
        self._plan()
        return job.ended

    def _shares(self) -> list[float]:
        """Cores each job gets: equal parts, what one cannot use going to the others."""
        shares = [0.0] * len(self._jobs)
        free, open_ = self._cores, list(range(len(self._jobs)))
        while open_ and free > _DONE:
            part = free / len(open_)
            narrow = [n for n in open_ if self._jobs[n].cores - shares[n] <= part]
            for n in narrow or open_:
                more = self._jobs[n].cores - shares[n] if narrow else part
                shares[n] += more
                free -= more
            open_ = [n for n in open_ if n not in narrow] if narrow else []
        return shares

    def _progress(self) -> None:
        passed = self._env.now - self._updated
        self._updated = self._env.now
        if passed:
            for job, share in zip(self._jobs, self._shares(), strict=True):
                job.left -= passed * share
                self.busy_s += passed * share

    def _plan(self) -> None:
        """Come back when the first job will have ended, unless something happens before."""
        self._turn += 1
        shares = self._shares()
        waits = [job.left / share for job, share in zip(self._jobs, shares, strict=True) if share]
        if waits:
            self._env.process(self._wake(max(0.0, min(waits)), self._turn))

    def _wake(self, wait_s: float, turn: int) -> Steps:
        yield self._env.timeout(wait_s)
        if turn != self._turn:
            return
        self._progress()
        ended = [job for job in self._jobs if job.left <= _DONE]
        self._jobs = [job for job in self._jobs if job.left > _DONE]
        self._plan()
        for job in ended:
            job.ended.succeed()


class Rate:
    """A throttle: units are granted in the order of asking, so many a second, one second ahead."""

    def __init__(self, env: simpy.Environment, per_s: float) -> None:
        self._env = env
        self._per_s = per_s
        self._free_at = env.now - 1.0
        self.units = 0.0
        self.waited_s = 0.0

    def take(self, units: float) -> simpy.Event:
        """An event when `units` are granted."""
        now = self._env.now
        self._free_at = max(self._free_at, now - 1.0) + units / self._per_s
        wait_s = max(0.0, self._free_at - now)
        self.units += units
        self.waited_s += wait_s
        return self._env.timeout(wait_s)


@dataclass
class Usage:
    """What a function's invocations added up to."""

    invocations: int = 0
    billed_s: float = 0.0
    cold_starts: int = 0
    waits_s: list[float] = field(default_factory=list)
    """Of each message in the queue."""
    most_at_once: int = 0


class Function:
    """A queue, its event source mapping and its function."""

    def __init__(
        self,
        env: simpy.Environment,
        account: simpy.Resource,
        quotas: Quotas,
        *,
        at_most: int,
        init_s: float,
        message_s: float = 0.0,
        pollers_grow: bool = True,
    ) -> None:
        """
        Args:
            account: slots for executions of all functions together.
            at_most: invocations at once that the mapping allows.
            init_s: of a new environment.
            message_s: from sending to being received by an idle function.
            pollers_grow: whether the mapping starts small, as AWS's do.
        """
        self._env, self._account, self._quotas = env, account, quotas
        self._at_most = min(at_most, quotas.pollers_at_most)
        self._init_s, self._message_s, self._pollers_grow = init_s, message_s, pollers_grow
        self._waiting: deque[tuple[float, Callable[[], Steps]]] = deque()
        self._running = self._warm = 0
        self._busy_since: float | None = None
        self._ticking = False
        self._starts = Rate(env, quotas.scale_up / quotas.scale_up_every_s)
        self._burst_left = float(quotas.scale_up)
        self.usage = Usage()

    def send(self, work: Callable[[], Steps]) -> None:
        """Queue a message; `work` is what its invocation does."""
        self._env.process(self._deliver(work))

    @property
    def depth(self) -> int:
        return len(self._waiting)

    def _deliver(self, work: Callable[[], Steps]) -> Steps:
        yield self._env.timeout(self._message_s)
        if self._busy_since is None:
            self._busy_since = self._env.now
        self._waiting.append((self._env.now, work))
        self._pump()

    def _limit(self) -> int:
        if not self._pollers_grow or self._busy_since is None:
            return self._at_most
        minutes = (self._env.now - self._busy_since) / 60
        grown = self._quotas.pollers_at_first + int(minutes * self._quotas.pollers_per_minute)
        return min(self._at_most, grown)

    def _pump(self) -> None:
        while self._waiting and self._running < self._limit():
            since, work = self._waiting.popleft()
            self._running += 1
            self.usage.most_at_once = max(self.usage.most_at_once, self._running)
            self._env.process(self._invoke(since, work))
        if not self._waiting and not self._running:
            self._busy_since = None
        if self._waiting and self._limit() < self._at_most and not self._ticking:
            self._ticking = True
            self._env.process(self._tick())

    def _tick(self) -> Steps:
        """Look again when the mapping will have grown by one."""
        yield self._env.timeout(60 / self._quotas.pollers_per_minute)
        self._ticking = False
        self._pump()

    def _invoke(self, since: float, work: Callable[[], Steps]) -> Steps:
        with self._account.request() as slot:
            yield slot
            if self._warm:
                self._warm -= 1
            else:
                yield from self._cold_start()
            self.usage.waits_s.append(self._env.now - since)
            began = self._env.now
            yield self._env.process(work())
            self.usage.invocations += 1
            self.usage.billed_s += self._env.now - began
            self._warm += 1
        self._running -= 1
        self._pump()

    def _cold_start(self) -> Steps:
        self.usage.cold_starts += 1
        if self._burst_left >= 1:
            self._burst_left -= 1
        else:
            yield self._starts.take(1)
        yield self._env.timeout(self._init_s)
        self.usage.billed_s += self._init_s
