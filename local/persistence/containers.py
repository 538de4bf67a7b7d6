"""The state of one service, taken out of its containers as plain data and put back.

LocalStack shows a service's containers to a visitor: its own stores by account and region, and
moto's backends. Only their content is kept, so that a fresh process puts it into its own containers
and nothing of LocalStack's plumbing is pickled.
"""

# LocalStack lives in another virtual environment: its types are unknown where types are checked.
# mypy: disable-error-code="import-not-found, misc, untyped-decorator, no-any-return"

from __future__ import annotations

from typing import Any

from localstack.services.plugins import Service
from localstack.services.stores import AccountRegionBundle
from localstack.state import StateVisitor
from moto.core.base_backend import BackendDict

State = dict[str, Any]
_SHARED = ("_global", "_universal")


class _Collector(StateVisitor):
    def __init__(self) -> None:
        self.found: dict[str, Any] = {}

    def visit(self, state_container: Any) -> None:
        if isinstance(state_container, AccountRegionBundle):
            self.found[f"stores:{state_container.service_name}"] = state_container
        elif isinstance(state_container, BackendDict):
            self.found[f"moto:{state_container.service_name}"] = state_container


def containers_of(service: Service) -> dict[str, Any]:
    """Name → container, for everything the service shows."""
    collector = _Collector()
    service.accept_state_visitor(collector)
    return collector.found


def state_of(service: Service) -> State:
    """References to the living state; pickle it at once."""
    return {
        name: _stores_state(container) if name.startswith("stores:") else _moto_state(container)
        for name, container in containers_of(service).items()
    }


def put_back(service: Service, state: State) -> None:
    """Fill the service's containers."""
    for name, container in containers_of(service).items():
        if name not in state:
            continue
        if name.startswith("stores:"):
            _fill_stores(container, state[name])
        else:
            _fill_moto(container, state[name])


def _stores_state(bundle: AccountRegionBundle) -> State:
    return {
        "universal": bundle._universal,
        "accounts": {
            account: {
                "global": regions._global,
                "regions": {
                    region: {k: v for k, v in store.__dict__.items() if k not in _SHARED}
                    for region, store in list(regions.items())
                },
            }
            for account, regions in list(bundle.items())
        },
    }


def _fill_stores(bundle: AccountRegionBundle, state: State) -> None:
    bundle._universal.update(state["universal"])
    for account, part in state["accounts"].items():
        bundle[account]._global.update(part["global"])
        for region, content in part["regions"].items():
            bundle[account][region].__dict__.update(content)


def _moto_state(backends: BackendDict[Any]) -> State:
    return {
        account: {region: backend.__dict__ for region, backend in list(regions.items())}
        for account, regions in list(backends.items())
    }


def _fill_moto(backends: BackendDict[Any], state: State) -> None:
    for account, regions in state.items():
        for region, content in regions.items():
            backends[account][region].__dict__.update(content)
