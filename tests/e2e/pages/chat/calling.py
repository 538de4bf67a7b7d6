"""Calls between pages of this process: the function `signal` itself on a pretended AWS, and API
Gateway's part played by the browser's own routing of WebSockets."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, WebSocketRoute, expect

from millrace import clients, model
from millrace.model import Item
from millrace.relays import Servers
from millrace.served import Served
from millrace.signalling import Exchange
from millrace.sockets import Sockets
from tests.harness.chromium import PATIENCE_MS
from tests.harness.quick_moto import quick_moto
from tests.harness.webrtc import REMEMBER_CONNECTIONS
from tests.unit.core.calling import SECRET, Gateway

TALKING = '#room[data-phase="talking"]'
NO_SERVERS = Servers((), (), lambda: SECRET)


@dataclass
class Switchboard(Gateway):
    """Hands what pages send to the function, and what it answers to the pages."""

    routes: dict[str, WebSocketRoute] = field(default_factory=dict)
    servers: Servers = NO_SERVERS
    reachable: bool = True
    holds: Callable[[dict[str, Any]], bool] = lambda _: False
    """Which messages to a page are kept back, until `release`."""
    held: list[tuple[str, str]] = field(default_factory=list)
    heard: list[dict[str, Any]] = field(default_factory=list)
    """What pages sent."""

    def exchange_of(self, served: Served) -> Exchange:
        return Exchange(Sockets(self), self.servers, served)

    def offer(self, servers: Servers) -> None:
        """What callers are told of from now on."""
        self.servers = servers
        self.exchange = self.exchange_of(Served())

    def attach(self, context: BrowserContext) -> None:
        context.route_web_socket("**/signal", self._open)

    def _open(self, route: WebSocketRoute) -> None:
        if not self.reachable:
            # Playwright closes nothing from here, but once the page says something.
            route.on_message(lambda _: route.close())
            return
        phone = self.connect()
        self.routes[phone.id] = route
        route.on_message(lambda text: self._take(phone.id, str(text)))
        route.on_close(lambda _code, _reason: phone.vanish())

    def _take(self, connection_id: str, text: str) -> None:
        self.heard.append(json.loads(text))
        if connection_id in self.open:
            self.event("MESSAGE", connection_id, text)

    def post_to_connection(self, ConnectionId: str, Data: bytes) -> None:  # noqa: N803
        super().post_to_connection(ConnectionId, Data)
        (message,), text = self.inboxes[ConnectionId], Data.decode()
        self.inboxes[ConnectionId].clear()
        if self.holds(message):
            self.held.append((ConnectionId, text))
        else:
            self.routes[ConnectionId].send(text)

    def delete_connection(self, ConnectionId: str) -> None:  # noqa: N803
        super().delete_connection(ConnectionId)
        self.routes[ConnectionId].close()

    def release(self) -> None:
        self.holds = lambda _: False
        for connection_id, text in self.held:
            self.routes[connection_id].send(text)
        self.held.clear()

    def cut(self) -> None:
        """The server is gone, and every socket with it."""
        self.reachable = False
        for connection_id in sorted(self.open):
            self.open.remove(connection_id)
            self.routes[connection_id].close()


@contextmanager
def switchboard(setenv: Callable[[str, str], None]) -> Iterator[Switchboard]:
    """`setenv` is pytest's."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        setenv(name, "testing")
    setenv("AWS_DEFAULT_REGION", "us-east-1")
    with quick_moto():
        clients.reset()
        model.bind("calls")
        Item.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
        yield Switchboard()


class Visitors:
    """People with a browser each. No page may log an error, but for the sockets that are cut."""

    def __init__(self, browser: Browser, site_url: str, board: Switchboard) -> None:
        self._browser = browser
        self.site_url = site_url
        self.board = board
        self._contexts = ExitStack()
        self.complaints: list[str] = []

    def __call__(self, link: str = "chat.html", script: str = "", **options: Any) -> Page:
        """Somebody opens a link.

        Args:
            script: run before the page's own.
            options: of the browser's context.
        """
        context = self._browser.new_context(reduced_motion="reduce", **options)
        self._contexts.callback(context.close)
        context.set_default_timeout(PATIENCE_MS)
        context.add_init_script(REMEMBER_CONNECTIONS + script)
        self.board.attach(context)
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on(
            "console",
            lambda line: self.complaints.append(line.text) if line.type == "error" else None,
        )
        page.goto(link if "://" in link else f"{self.site_url}/{link}")
        return page

    def leave(self) -> None:
        self._contexts.close()
        assert self.complaints == []


def make_room(page: Page, passphrase: str = "") -> str:
    """The link to share."""
    page.locator("#passphrase").fill(passphrase)
    page.get_by_role("button", name="Make a room").click()
    expect(page.locator("#card-title")).to_have_text("Waiting for the other person")
    return page.locator("#link").input_value()


def join(page: Page) -> None:
    page.get_by_role("button", name="Join the call").click()


def call(visit: Visitors, script: str = "", query: str = "") -> tuple[Page, Page]:
    """Two who talk."""
    first = visit(f"chat.html{query}", script)
    second = visit(make_room(first), script)
    join(second)
    for page in (first, second):
        page.wait_for_selector(TALKING)
    return first, second
