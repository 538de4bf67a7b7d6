"""What restored services need beyond their data: the objects and threads made from it."""

# LocalStack lives in another virtual environment: its types are unknown where types are checked.
# mypy: disable-error-code="import-not-found, misc, untyped-decorator, no-any-return"

from __future__ import annotations

import logging
from typing import Any

from localstack.services.plugins import Service

from local.persistence.sqs_journal import MessageJournal

LOG = logging.getLogger(__name__)


def prepare(service: Service, messages: MessageJournal) -> None:
    """Right after the data is back, before the service serves anything."""
    name, provider = service.name(), service._provider
    if name == "sqs":
        from local.persistence import sqs_queues

        sqs_queues.restore_messages(messages)
        sqs_queues.journal_messages(messages)
    elif name == "events":
        _prepare_events(provider)
    elif name == "lambda":
        _let_replaced_workers_be_silent(provider)
    elif name == "cloudformation":
        _end_interrupted_deployments()


def resume(service: Service) -> None:
    """When requests can be served: start pollers and timers."""
    if service.name() in ("lambda", "cloudwatch"):
        service.lifecycle_hook.on_before_state_load()
        service.lifecycle_hook.on_after_state_load()
    elif service.name() == "events":
        _resume_schedules(service._provider)


def _prepare_events(provider: Any) -> None:
    """LocalStack keeps the data of a bus or rule apart from the object that acts on it."""
    from localstack.services.events.event_bus import EventBusService
    from localstack.services.events.models import events_stores
    from localstack.services.events.rule import RuleService

    for _, _, store in events_stores.iter_stores():
        for bus in store.event_buses.values():
            provider._event_bus_services_store[bus.arn] = EventBusService(bus)
            for rule in bus.rules.values():
                provider._rule_services_store[rule.arn] = RuleService(rule)


def _resume_schedules(provider: Any) -> None:
    for service in list(provider._rule_services_store.values()):
        rule = service.rule
        if hasattr(service, "job_id"):
            continue
        for target in rule.targets.values():
            provider.create_target_sender(target, rule.arn, rule.name, rule.region, rule.account_id)
        if service.schedule_cron and rule.targets:
            service.create_schedule_job(
                provider._get_scheduled_rule_job_function(rule.account_id, rule.region, rule)
            )


def _let_replaced_workers_be_silent(provider: Any) -> None:
    """An updated mapping gets a new worker. The old one ends later and would note "Disabled" over
    the new one's "Enabled", and after a restart the mapping would be."""
    from localstack.services.lambda_.event_source_mapping.esm_worker import EsmWorker

    note = EsmWorker.update_esm_state_in_store

    def note_when_current(self: EsmWorker, state: Any) -> None:
        if provider.esm_workers.get(self.uuid, self) is self:
            note(self, state)

    EsmWorker.update_esm_state_in_store = note_when_current


def _end_interrupted_deployments() -> None:
    """A deployment ends with the process: its stack may be deployed again, but goes on no more."""
    from localstack.services.cloudformation.stores import cloudformation_stores

    for _, _, store in cloudformation_stores.iter_stores():
        for stack in store.stacks_v2.values():
            if not stack.status.endswith("_IN_PROGRESS"):
                continue
            LOG.warning("the deployment of %s was interrupted", stack.stack_name)
            # The states from which CloudFormation takes an update, or a deletion and a new start.
            first = stack.status in ("CREATE_IN_PROGRESS", "REVIEW_IN_PROGRESS")
            stack.status = "ROLLBACK_COMPLETE" if first else "UPDATE_ROLLBACK_COMPLETE"
            stack.status_reason = "interrupted by a restart"
