"""Entry points: when LocalStack loads, resumes and saves the state. Imports nothing early."""

# LocalStack lives in another virtual environment: its types are unknown where types are checked.
# mypy: disable-error-code="import-not-found, misc, untyped-decorator, no-any-return"

from __future__ import annotations

import functools
import os
import sys
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING

from localstack.runtime import hooks
from localstack.services.plugins import Service, aws_provider

if TYPE_CHECKING:
    from local.persistence.snapshots import Snapshots


@aws_provider(api="s3", name="millrace")
def s3() -> Service:
    """LocalStack's S3 with its state on disk."""
    from local.persistence.s3_provider import service

    return service()


@functools.cache
def _snapshots() -> Snapshots:
    from local.persistence.snapshots import Snapshots

    return Snapshots()


def _or_end(step: Callable[[], None]) -> None:
    """LocalStack logs a failing hook and goes on; a cloud that forgot everything must not."""
    try:
        step()
    except Exception as error:  # noqa: BLE001 - whatever it was, see above
        traceback.print_exc()
        advice = "`./millrace reset` starts with an empty one"
        print(f"the saved state cannot be used: {error} ({advice})", file=sys.stderr, flush=True)
        os._exit(3)


@hooks.on_infra_start(priority=100)
def restore_state() -> None:
    """Before the first request is served."""
    from local.persistence.catalog import share_catalog

    _or_end(share_catalog)
    _or_end(lambda: _snapshots().restore())


@hooks.on_infra_ready(priority=100)
def resume_work() -> None:
    """As soon as requests can be served: pollers and schedules need the gateway."""
    _or_end(lambda: _snapshots().resume())


@hooks.on_infra_shutdown(priority=100)
def save_state() -> None:
    """Before the services are stopped and forget what they know."""
    _snapshots().stop()
