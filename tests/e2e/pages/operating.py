"""What tests of the operator's pages share."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.e2e.pages.fake_api import TOKEN, Fake

FRAGMENT = f"#token={TOKEN}"


@pytest.fixture
def admin(fake: Fake) -> None:
    fake.state.tokens[TOKEN]["roles"] = ["admin"]


def look_again(page: Page) -> None:
    """As when one comes back to the page: it asks at once, instead of in a few seconds."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
