"""Times, sizes and rates as people write and read them."""

from __future__ import annotations

import re

_SECONDS = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ms|s|m|h)?")
_CLOCK = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:\.\d*)?)")
_AMOUNT = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*([kKmMgG]?)(i?)")
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3}
_UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, None: 1.0}


def seconds(text: str) -> float:
    """`90`, `1.5s`, `2m`, `1:30`, `1:02:03.5` in seconds.

    Raises:
        ValueError: none of these.
    """
    if found := _CLOCK.fullmatch(text.strip()):
        hours, minutes, rest = found.groups()
        return int(hours or 0) * 3600 + int(minutes) * 60 + float(rest)
    if found := _SECONDS.fullmatch(text.strip()):
        return float(found[1]) * _UNIT_S[found[2]]
    raise ValueError(f"{text!r} is no time: write 90, 1:30 or 1:02:03.5")


def bits_per_second(text: str) -> int:
    """`2500k`, `2.5M`, `800000`, also with `bps` or `bit/s` behind.

    Raises:
        ValueError: no rate.
    """
    return _amount(re.sub(r"(bps|bit/s|b/s)$", "", text.strip()), text, "a bit rate: write 2.5M")


def size_bytes(text: str) -> int:
    """`25MB` (powers of ten, as disks and mail servers count), `24MiB` (powers of 1024).

    Raises:
        ValueError: no size.
    """
    return _amount(re.sub(r"[bB]$", "", text.strip()), text, "a size: write 25MB")


def _amount(number: str, text: str, wanted: str) -> int:
    found = _AMOUNT.fullmatch(number.strip())
    value = 0
    if found:
        base = 1024 if found[3] else 1000
        value = round(float(found[1]) * base ** _POWERS[found[2].lower()])
    if value <= 0:
        raise ValueError(f"{text!r} is not {wanted}")
    return value


def clock(time_s: float, *, tenths: bool = True) -> str:
    """Seconds as `0:12.3` or `1:02:03.0`."""
    whole = round(time_s * 10) if tenths else round(time_s) * 10
    minutes, rest = divmod(whole, 600)
    hours, minutes = divmod(minutes, 60)
    last = f"{rest / 10:04.1f}" if tenths else f"{rest // 10:02d}"
    return f"{hours}:{minutes:02d}:{last}" if hours else f"{minutes}:{last}"


def rate_text(bitrate_bps: float | None) -> str:
    """`1.21 Mb/s`, or an empty text where it is not known."""
    if not bitrate_bps:
        return ""
    if bitrate_bps < 1_000_000:
        return f"{bitrate_bps / 1000:.0f} kb/s"
    return f"{bitrate_bps / 1_000_000:.2f} Mb/s"
