"""The quality presets, and what they mean in each codec."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import click
from rich.table import Table

from cli.console import Page
from cli.media.command import LocalCommand, examples, said
from cli.media.voice import write_line


class Quality(StrEnum):
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


MEANING: Mapping[Quality, str] = {
    Quality.HIGH: "to keep: looks like the source, also when paused; slow",
    Quality.MEDIUM: "to watch: hardly anyone sees a difference while it plays; the default",
    Quality.LOW: "to send: small and quick; the loss can be seen",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """How an encoder is set."""

    crf: int
    """Constant quality on the encoder's own scale: less is better."""
    speed: str
    """libx264's name; the engine maps it for the other encoders (docs/ENGINE.md)."""


SETTINGS: Mapping[str, Mapping[Quality, Setting]] = {
    "h264": {
        Quality.HIGH: Setting(18, "slow"),
        Quality.MEDIUM: Setting(22, "medium"),
        Quality.LOW: Setting(28, "veryfast"),
    },
    "hevc": {
        Quality.HIGH: Setting(19, "medium"),
        Quality.MEDIUM: Setting(24, "fast"),
        Quality.LOW: Setting(30, "veryfast"),
    },
    "av1": {
        Quality.HIGH: Setting(23, "medium"),
        Quality.MEDIUM: Setting(31, "fast"),
        Quality.LOW: Setting(43, "veryfast"),
    },
    "vp9": {
        Quality.HIGH: Setting(24, "medium"),
        Quality.MEDIUM: Setting(32, "fast"),
        Quality.LOW: Setting(42, "veryfast"),
    },
}
HIGHEST_CRF: Mapping[str, int] = {"h264": 51, "hevc": 51, "av1": 63, "vp9": 63}

AUDIO_BPS_PER_CHANNEL: Mapping[str, Mapping[Quality, int]] = {
    "aac": {Quality.HIGH: 96_000, Quality.MEDIUM: 64_000, Quality.LOW: 48_000},
    "opus": {Quality.HIGH: 80_000, Quality.MEDIUM: 56_000, Quality.LOW: 40_000},
}


@click.command(
    cls=LocalCommand,
    epilog=examples(
        ("millrace presets", "a table"),
        ("millrace transcode a.mov a.mp4 --quality high", "uses one"),
    ),
)
@said
def presets(as_json: bool, **_: Any) -> None:
    """Tell what --quality high, medium and low mean in each codec."""
    if as_json:
        write_line(document())
        return
    out = Page(highlight=False)
    for quality in Quality:
        out.print(f"[bold]{quality}[/]  {MEANING[quality]}")
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("codec", *(f"{quality}: crf, speed" for quality in Quality)):
        table.add_column(name)
    for codec, settings in SETTINGS.items():
        cells = (f"{settings[quality].crf}, {settings[quality].speed}" for quality in Quality)
        table.add_row(codec, *cells)
    for codec, rates in AUDIO_BPS_PER_CHANNEL.items():
        table.add_row(codec, *(f"{rates[quality] // 1000} kb/s a channel" for quality in Quality))
    out.print()
    out.print(table)


def document() -> dict[str, Any]:
    """All of it, for programs."""
    return {
        "type": "presets",
        "meaning": dict(MEANING),
        "video": {
            codec: {quality: asdict(setting) for quality, setting in settings.items()}
            for codec, settings in SETTINGS.items()
        },
        "audio_bps_per_channel": {
            codec: dict(rates) for codec, rates in AUDIO_BPS_PER_CHANNEL.items()
        },
    }
