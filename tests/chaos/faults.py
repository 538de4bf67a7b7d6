"""Which request is disturbed, and how: decided by chance, from a seed."""

from __future__ import annotations

import random
import threading
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

S3_PATHS = ("/millrace-uploads-local", "/millrace-site-local")
_DYNAMO, _SQS = "DynamoDB_20120810.", "AmazonSQS."
_SENDS = ("SendMessage", "SendMessageBatch")


class Fault(StrEnum):
    """What can happen between a function and the cloud."""

    THROTTLED = "DynamoDB throttled a request"
    ANSWER_LOST = "the answer to a DynamoDB write was lost"
    SLOW_DOWN = "S3 answered 503"
    DUPLICATED = "a message was sent twice"
    DELAYED = "a message was overtaken by others"
    LATE = "a message came again, long after"
    DIED_DONE = "a function died after its task was done, before it could acknowledge"


@dataclass(frozen=True, slots=True)
class Request:
    """What the proxy knows of one before it is passed on."""

    method: str
    path: str
    target: str
    """`X-Amz-Target`, empty when there is none."""
    body: bytes

    @property
    def operation(self) -> str:
        return self.target.rpartition(".")[2]

    @property
    def is_write(self) -> bool:
        return self.target.startswith(_DYNAMO) and self.operation in (
            "TransactWriteItems",
            "UpdateItem",
        )

    @property
    def is_message(self) -> bool:
        return self.target.startswith(_SQS) and self.operation in _SENDS

    @property
    def is_object(self) -> bool:
        return self.path.startswith(S3_PATHS)

    @property
    def ends_a_task(self) -> bool:
        return self.operation == "TransactWriteItems" and b"#task.done#" in self.body


@dataclass(frozen=True, slots=True)
class Rates:
    """Chances of each fault; all zero: a calm."""

    throttled: float = 0.0
    answer_lost: float = 0.0
    slow_down_every: int = 0
    """Every n-th request to S3; 0: none."""
    duplicated: float = 0.0
    delayed: float = 0.0
    late: float = 0.0
    died_done: float = 0.0


STORM = Rates(
    throttled=0.05,
    answer_lost=0.03,
    slow_down_every=19,
    duplicated=0.3,
    delayed=0.3,
    late=0.3,
    died_done=0.2,
)
CALM = Rates()


@dataclass
class Faults:
    """Decides, and counts what it decided. Thread-safe."""

    seed: int
    rates: Rates = CALM
    struck: Counter[str] = field(default_factory=Counter)
    _objects: int = 0

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        self._lock = threading.Lock()

    def of(self, request: Request) -> set[Fault]:
        """What happens to a request."""
        with self._lock:
            faults = set(self._chosen(request))
            for fault in faults:
                self.struck[fault] += 1
        return faults

    def seconds(self, most: float) -> float:
        """How long something takes, up to `most`."""
        with self._lock:
            return self._chance.uniform(0, most)

    def _chosen(self, request: Request) -> list[Fault]:
        rates = self.rates
        if request.is_object:
            self._objects += 1
            every = rates.slow_down_every
            return [Fault.SLOW_DOWN] if every and self._objects % every == 0 else []
        if request.is_message:
            chances = {
                Fault.DUPLICATED: rates.duplicated,
                Fault.DELAYED: rates.delayed,
                Fault.LATE: rates.late,
            }
            return [fault for fault, chance in chances.items() if self._happens(chance)]
        if request.ends_a_task and self._happens(rates.died_done):
            return [Fault.DIED_DONE]
        if request.is_write and self._happens(rates.answer_lost):
            return [Fault.ANSWER_LOST]
        if request.target.startswith(_DYNAMO) and self._happens(rates.throttled):
            return [Fault.THROTTLED]
        return []

    def _happens(self, chance: float) -> bool:
        return self._chance.random() < chance
