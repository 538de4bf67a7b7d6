"""Pickles of live objects: what cannot be stored (locks) is made new, what has a home of its own
(the backends of other services) is referred to."""

# LocalStack lives in another virtual environment: its types are unknown where types are checked.
# mypy: disable-error-code="import-not-found, import-untyped, misc, no-any-return"

from __future__ import annotations

import io
import pickle
import queue
import threading
from collections import defaultdict
from types import FunctionType
from typing import Any

import dill
from localstack.services.sqs.models import SqsQueue
from localstack.services.stores import BaseStore
from moto.backends import get_backend
from moto.core.base_backend import BaseBackend
from moto.iam.models import AWSManagedPolicy
from moto.logs.models import LogStream

from local.persistence import sqs_queues

_FRESH: dict[type, Any] = {
    type(threading.Lock()): threading.Lock,
    type(threading.RLock()): threading.RLock,
    threading.Condition: threading.Condition,
    threading.Event: threading.Event,
}


def backend(service: str, account: str, region: str) -> Any:
    """The living backend a pickle refers to."""
    find: Any = get_backend
    return find(service)[account][region]


class _Pickler(pickle.Pickler):
    def reducer_override(self, obj: Any) -> Any:
        kind = type(obj)
        if kind in _FRESH:
            return _FRESH[kind], ()
        if isinstance(obj, defaultdict) and kind is not defaultdict:
            # Its class may have a constructor of its own, which pickle knows nothing of.
            return _empty, (kind, obj.default_factory), obj.__dict__, None, iter(obj.items())
        if isinstance(obj, queue.Queue):
            return kind, (obj.maxsize,), {"queue": obj.queue}
        if isinstance(obj, BaseBackend):
            name = type(obj).__module__.split(".")[1]
            return backend, (name, obj.account_id, obj.region_name)
        if isinstance(obj, BaseStore):
            raise pickle.PicklingError(f"{obj!r} is referred to from a saved object")
        if isinstance(obj, SqsQueue):
            sqs_queues.identity(obj)
            return sqs_queues.rebuild, (kind, sqs_queues.definition_of(obj))
        if kind is FunctionType and "<" in obj.__qualname__:  # e.g. a default factory in a backend
            return dill.loads, (dill.dumps(obj, recurse=True),)
        if kind is AWSManagedPolicy:  # 1,400 constants, 4 MB
            return _managed_policy, (obj.account_id, obj.arn)
        if kind is LogStream:  # log lines are not state: they are in the functions' log files
            return _log_stream, ({**obj.__dict__, "events": []},)
        return NotImplemented


def _empty(kind: type[defaultdict[Any, Any]], factory: Any) -> defaultdict[Any, Any]:
    made = kind.__new__(kind)
    made.default_factory = factory
    return made


def _managed_policy(account: str, arn: str) -> Any:
    backends: Any = get_backend("iam")
    return backends[account]["aws"].managed_policies[arn]


def _log_stream(state: dict[str, Any]) -> LogStream:
    stream: LogStream = object.__new__(LogStream)
    stream.__dict__.update(state)
    return stream


def dumps(value: object) -> bytes:
    """Raises what pickle raises; RuntimeError when something changed meanwhile."""
    buffer = io.BytesIO()
    _Pickler(buffer, protocol=pickle.HIGHEST_PROTOCOL).dump(value)
    return buffer.getvalue()


def loads(data: bytes) -> Any:
    return pickle.loads(data)  # noqa: S301 - our own file
