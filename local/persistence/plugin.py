"""Entry points: when LocalStack loads, resumes and saves the state. Imports nothing early."""

# LocalStack lives in another virtual environment: its types are unknown where types are checked.
# mypy: disable-error-code="import-not-found, misc, untyped-decorator, no-any-return"

from __future__ import annotations

from localstack.runtime import hooks
from localstack.services.plugins import Service, aws_provider


@aws_provider(api="s3", name="millrace")
def s3() -> Service:
    """LocalStack's S3 with its state on disk."""
    from local.persistence.s3_provider import service

    return service()


@hooks.on_infra_start(priority=100)
def restore_state() -> None:
    """Before the first request is served."""


@hooks.on_infra_ready()
def resume_work() -> None:
    """As soon as requests can be served: pollers and schedules need the gateway."""


@hooks.on_infra_shutdown(priority=100)
def save_state() -> None:
    """Before the services are stopped and forget what they know."""
