"""Debian's Chromium, the same for everybody who drives one."""

from __future__ import annotations

CHROMIUM = "/usr/bin/chromium"
PATIENCE_MS = 40_000
"""A machine that runs the whole suite is slow at times; what never comes still never comes."""
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]
