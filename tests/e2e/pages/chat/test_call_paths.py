"""Why a call does not come about, in the words of the page, where only a relay would help."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from cli import turn
from cli.turn import TurnConfig
from millrace.relays import Servers
from tests.e2e.pages.chat.calling import Switchboard, Visitors, join, make_room
from tests.harness.pipeline import free_port

pytestmark = pytest.mark.needs_browser


@pytest.fixture
def strange_relay(tmp_path: Path) -> Iterator[str]:
    """A relay with a secret that nobody was told."""
    config = TurnConfig(state_dir=tmp_path, log_file=tmp_path / "turn.log", port=free_port())
    running = turn.start(config)
    yield config.urls
    running.stop()


def _expect_words(visit: Visitors, board: Switchboard, turn_urls: str, words: str) -> None:
    urls = tuple(turn_urls.split(",")) if turn_urls else ()
    board.offer(Servers((), urls, lambda: "another secret"))
    first = visit("chat.html?relay=only")
    first.clock.install()
    second = visit(make_room(first))
    join(second)
    expect(first.locator("#card-title")).to_have_text("Connecting…")
    for repair in ("00:11", "00:06", "00:11"):
        first.wait_for_timeout(1500)  # the browser asks the relay meanwhile
        first.clock.fast_forward(repair)
    expect(first.locator("#card-title")).to_have_text("No connection")
    expect(first.locator("#card-text")).to_contain_text(words)


def test_page_says_that_there_is_no_relay_when_none_is_configured(
    visit: Visitors, board: Switchboard
) -> None:
    _expect_words(visit, board, "", "no relay is configured here")


def test_page_says_that_the_relay_is_silent_when_nobody_listens_at_its_port(
    visit: Visitors, board: Switchboard
) -> None:
    dead = f"turn:127.0.0.1:{free_port()}?transport=tcp"
    _expect_words(visit, board, dead, "The relay does not answer")


@pytest.mark.needs_relay
def test_page_says_that_the_relay_refuses_when_the_secrets_differ(
    visit: Visitors, board: Switchboard, strange_relay: str
) -> None:
    _expect_words(visit, board, strange_relay, "The relay refused this call (error 401)")
