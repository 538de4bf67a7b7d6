"""Ties it together inside LocalStack: restore services when they are loaded, save them when a
request changed them, and let the answer of such a request wait until that is on the disk."""

# LocalStack lives in another virtual environment: its types are unknown where types are checked.
# mypy: disable-error-code="import-not-found, misc, untyped-decorator, no-any-return"

from __future__ import annotations

import logging
import threading
from typing import Any

from localstack.aws import handlers
from localstack.aws.api import RequestContext
from localstack.constants import VERSION
from localstack.services.plugins import SERVICE_PLUGINS, Service, ServiceManager

from local.persistence import aftercare, containers, pickling
from local.persistence.files import SnapshotFiles
from local.persistence.location import state_dir
from local.persistence.requests import changes
from local.persistence.saver import Saver
from local.persistence.sqs_journal import MessageJournal

LOG = logging.getLogger(__name__)

ACKNOWLEDGE_S = 3.0
"""How long an answer waits for its change to be saved; then it is sent all the same, with a
warning in the log."""
SELF_ACTING = ("sqs", "events", "lambda")
"""Services that do something without being asked: restored before the first request. The others
are restored with their first use, or a moment later."""


class Snapshots:
    """The saved state of every service that does not keep itself."""

    def __init__(self) -> None:
        self._files = SnapshotFiles(state_dir() / "services", VERSION)
        self._messages = MessageJournal(state_dir() / "messages.sqlite")
        self._saver = Saver(self._take, self._files.write)
        self._resumed = threading.Event()
        self._restored: set[str] = set()

    def restore(self) -> None:
        """Load what acts by itself, and arrange for the rest to be loaded when it is used.

        Raises VersionError when the state was written by another version.
        """
        saved = self._files.services()
        for service in saved:
            self._files.read(service)  # refuse before anything was changed
        self._restore_with_load()
        for service in SELF_ACTING:
            if service in saved:
                SERVICE_PLUGINS.require(service)
        self._saver.start()
        handlers.run_custom_response_handlers.append(self._on_response)

    def resume(self) -> None:
        """Start the restored services' own activity; requests can be served now."""
        self._resumed.set()
        for service in self._restored:
            aftercare.resume(SERVICE_PLUGINS.get_service(service))
        threading.Thread(target=self._load_the_rest, name="millrace-warm", daemon=True).start()

    def stop(self) -> None:
        self._saver.stop()

    def _load_the_rest(self) -> None:
        for service in ("s3", "dynamodb", *self._files.services()):
            SERVICE_PLUGINS.require(service)

    def _restore_with_load(self) -> None:
        add_service, snapshots = ServiceManager.add_service, self

        def add_restored(self: ServiceManager, service: Service) -> bool:
            snapshots._restore_service(service)
            return add_service(self, service)

        ServiceManager.add_service = add_restored

    def _restore_service(self, service: Service) -> None:
        name = service.name()
        data = self._files.read(name)
        if data is not None:
            containers.put_back(service, pickling.loads(data))
        aftercare.prepare(service, self._messages)
        if data is None:
            return
        if self._resumed.is_set():
            aftercare.resume(service)
        else:
            self._restored.add(name)

    def _take(self, name: str) -> bytes:
        return pickling.dumps(containers.state_of(SERVICE_PLUGINS.get_service(name)))

    def _on_response(self, _chain: Any, context: RequestContext, _response: Any) -> None:
        if context.service is None or context.operation is None:
            return
        name = context.service.service_name
        if not changes(name, context.operation.name) or not SERVICE_PLUGINS.is_running(name):
            return
        if not self._saver.wait(name, self._saver.mark(name), ACKNOWLEDGE_S):
            LOG.warning("%s was answered before it was saved", context.operation.name)
