"""What a running pipeline looks like from outside, every few seconds."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psutil
import requests
from botocore.exceptions import BotoCoreError, ClientError

EVERY_S = 5.0
ENGINE = "engine"
QUEUES = ("ingest", "probe", "transcode", "thumbnail", "publish.fifo", "notify")


@dataclass(frozen=True, slots=True)
class Sample:
    at_s: float
    """Since the beginning."""
    depths: dict[str, int]
    """Messages in each queue, waiting or under way; empty when the queues did not answer."""
    cpu_s: dict[str, float]
    """Since the processes' beginnings, by group."""
    memory_bytes: dict[str, int]
    processes: dict[str, int]
    healthy: bool
    """Whether `GET /health` answered 200 within five seconds."""


@dataclass
class Sampler:
    """Samples until it is stopped."""

    client: Any
    """Of SQS."""
    api_url: str
    root_pid: int
    samples: list[Sample] = field(default_factory=list)
    _gone_cpu_s: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    _last_cpu_s: dict[tuple[int, bool], tuple[str, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._began = time.monotonic()

    @contextmanager
    def running(self) -> Iterator[Sampler]:
        stop = threading.Event()

        def run() -> None:
            while not stop.wait(EVERY_S):
                self.samples.append(self.sample())

        thread = threading.Thread(target=run, daemon=True)
        self.samples.append(self.sample())
        thread.start()
        try:
            yield self
        finally:
            stop.set()
            thread.join()
            self.samples.append(self.sample())

    def sample(self) -> Sample:
        cpu_s, memory, count = self._processes()
        return Sample(
            time.monotonic() - self._began, self._depths(), cpu_s, memory, count, self._healthy()
        )

    def _depths(self) -> dict[str, int]:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        depths = {}
        try:
            for queue in QUEUES:
                url = self.client.get_queue_url(QueueName=f"millrace-{queue}")["QueueUrl"]
                answer = self.client.get_queue_attributes(QueueUrl=url, AttributeNames=names)
                depths[queue] = sum(int(value) for value in answer["Attributes"].values())
        except (BotoCoreError, ClientError):
            return {}
        return depths

    def _healthy(self) -> bool:
        try:
            return requests.get(f"{self.api_url}/health", timeout=5).status_code == 200
        except requests.RequestException:
            return False

    def _processes(self) -> tuple[dict[str, float], dict[str, int], dict[str, int]]:
        """By group. What a process that has ended had used at its last sample stays counted; an
        engine's time is in its worker's count of ended children from its end on."""
        memory: dict[str, int] = defaultdict(int)
        count: dict[str, int] = defaultdict(int)
        seen: dict[tuple[int, bool], tuple[str, float]] = {}
        for process in _family(self.root_pid):
            try:
                with process.oneshot():
                    group, times = _group(process), process.cpu_times()
                    seen[process.pid, False] = (group, times.user + times.system)
                    if group.startswith("function "):
                        ended_s = times.children_user + times.children_system
                        seen[process.pid, True] = (ENGINE, ended_s)
                    memory[group] += process.memory_info().rss
            except psutil.Error:
                continue
            count[group] += 1
        return self._summed(seen), dict(memory), dict(count)

    def _summed(self, seen: dict[tuple[int, bool], tuple[str, float]]) -> dict[str, float]:
        for key, (group, spent_s) in self._last_cpu_s.items():
            is_engine_itself = group == ENGINE and not key[1]
            if key not in seen and not is_engine_itself:
                self._gone_cpu_s[group] += spent_s
        self._last_cpu_s = seen
        cpu_s = defaultdict(float, self._gone_cpu_s)
        for group, spent_s in seen.values():
            cpu_s[group] += spent_s
        return dict(cpu_s)


def _family(root_pid: int) -> list[psutil.Process]:
    try:
        root = psutil.Process(root_pid)
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _group(process: psutil.Process) -> str:
    """Engine, function by its name, the cloud, or the launcher."""
    line = " ".join(process.cmdline())
    if "millrace-engine" in line:
        return ENGINE
    if "awslambdaric" in line:
        return f"function {_function_of(process)}"
    return "launcher" if " -m cli " in f"{line} " else "cloud"


def _function_of(process: psutil.Process) -> str:
    name = process.environ().get("AWS_LAMBDA_FUNCTION_NAME", "?")
    return name.removeprefix("millrace-")
