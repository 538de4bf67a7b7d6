"""What tests of the upload page share."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page


def pick(page: Page, *paths: Path) -> None:
    page.locator("#files").set_input_files(list(paths))
