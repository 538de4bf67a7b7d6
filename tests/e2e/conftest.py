"""How long a page may take before a test gives up on it."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.harness.chromium import PATIENCE_MS

expect.set_options(timeout=PATIENCE_MS)
