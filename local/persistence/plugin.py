"""Entry points: when LocalStack loads, resumes and saves the state. Imports nothing early."""

from __future__ import annotations

from localstack.runtime import hooks


@hooks.on_infra_start(priority=100)  # type: ignore[untyped-decorator]
def restore_state() -> None:
    """Before the first request is served."""


@hooks.on_infra_ready()  # type: ignore[untyped-decorator]
def resume_work() -> None:
    """As soon as requests can be served: pollers and schedules need the gateway."""


@hooks.on_infra_shutdown(priority=100)  # type: ignore[untyped-decorator]
def save_state() -> None:
    """Before the services are stopped and forget what they know."""
