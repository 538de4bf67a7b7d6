"""What is seen and heard at once in the source is seen and heard at once in the output."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.harness import media
from tests.harness.ladder import pictures, plan_for, samples, transcode

pytestmark = pytest.mark.needs_engine

FRAME_S = 1 / 25
_FLASH = "geq=lum='if(between(T,0.99,1.19),235,16)':cb=128:cr=128"
_BEEP = "aevalsrc='if(between(t,1,1.2),0.8*sin(2*PI*1000*t),0)':s=48000:d=2"
X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "10", "-bf", "2", "-pix_fmt", "yuv420p")


def flash() -> Path:
    """White from 1.0 to 1.2 s, with a tone at the same time; a key frame every 0.4 s."""
    return media.ffmpeg(
        "flash-and-beep.mp4",
        *("-f", "lavfi", "-i", f"color=black:s=160x90:r=25:d=2,{_FLASH}", "-f", "lavfi"),
        *("-i", _BEEP, *X264, "-c:a", "aac", "-b:a", "128k"),
    )


def copied(name: str, *arguments: str) -> Path:
    path = str(flash())
    return media.ffmpeg(
        name, *(path if argument == "FLASH" else argument for argument in arguments), "-c", "copy"
    )


def cut_in_a_group() -> Path:
    """From 0.52 s on, but the file begins with the key frame before, which an edit list hides."""
    return copied("cut.mp4", "-ss", "0.52", "-i", "FLASH")


def sound_comes_late() -> Path:
    inputs = ("-i", "FLASH", "-itsoffset", "0.3", "-ss", "0.3", "-i", "FLASH")
    return copied("late-sound.mp4", *inputs, "-map", "0:v", "-map", "1:a")


def picture_comes_late() -> Path:
    inputs = ("-itsoffset", "0.4", "-ss", "0.4", "-i", "FLASH", "-i", "FLASH")
    return copied("late-picture.mp4", *inputs, "-map", "0:v", "-map", "1:a")


def picture_comes_late_in_matroska() -> Path:
    inputs = ("-itsoffset", "0.4", "-ss", "0.4", "-i", "FLASH", "-i", "FLASH")
    return copied("late-picture.mkv", *inputs, "-map", "0:v", "-map", "1:a")


def clock_wraps() -> Path:
    """The 33-bit clock of MPEG-TS starts over half a second after the beginning."""
    begin = 2**33 / 90_000 - 0.5 - 1.4
    return copied("wrap.ts", "-i", "FLASH", "-output_ts_offset", f"{begin:.6f}")


def sound_begins_below_zero() -> Path:
    """Matroska: AAC's priming samples lie before zero."""
    return copied("priming.mkv", "-i", "FLASH")


def hour_late() -> Path:
    return copied("offset.mkv", "-i", "FLASH", "-output_ts_offset", "3600")


def fragmented() -> Path:
    flags = ("-movflags", "frag_keyframe+empty_moov+default_base_moof")
    return copied("fragmented.mp4", "-i", "FLASH", *flags)


SOURCES: dict[Callable[[], Path], tuple[float, float]] = {
    flash: (1.0, 1.0),
    cut_in_a_group: (0.48, 0.48),
    sound_comes_late: (1.0, 1.0),
    picture_comes_late: (0.6, 0.6),
    picture_comes_late_in_matroska: (0.6, 0.6),
    clock_wraps: (1.0, 1.0),
    sound_begins_below_zero: (1.0, 1.0),
    hour_late: (1.0, 1.0),
    fragmented: (1.0, 1.0),
}
"""When the flash and the beep come, seconds after the first picture, as ffmpeg reads the source."""


@pytest.mark.parametrize("source", SOURCES)
def test_flash_and_beep_come_together_when_times_are_awkward(
    tmp_path: Path, source: Callable[[], Path]
) -> None:
    made = transcode(source(), tmp_path)
    lumas = [picture[0] for picture in pictures(made.video(), 1, 1)]
    flash_s = next(n for n, luma in enumerate(lumas) if luma > 120) * FRAME_S
    heard = samples(made.joined("audio-0"))
    beep_s = next(n for n, value in enumerate(heard) if abs(value) > 0.2) / 48_000
    assert flash_s == pytest.approx(SOURCES[source][0], abs=1e-6)
    assert beep_s == pytest.approx(SOURCES[source][1], abs=0.012)
    assert abs(beep_s - flash_s) < FRAME_S


def marked() -> Path:
    """Frames at irregular times, about 23 a second with two long rests; the two halves' luma tell
    which one it is."""
    times = "(N*1000/23+15*sin(N*1.7)+400*(gt(N,60)+gt(N,61)))"
    geq = "geq=lum='if(lt(X,16),20+14*mod(N,16),20+14*floor(N/16))':cb=128:cr=128"
    return media.ffmpeg(
        "marked.mkv",
        *("-f", "lavfi", "-i", "color=black:s=32x18:r=23:d=8"),
        *("-vf", f"{geq},settb=1/1000,setpts='{times}'"),
        *("-vsync", "passthrough", "-enc_time_base", "1/1000", "-c:v", "ffv1"),
        *("-pix_fmt", "yuv420p"),
    )


def times_s(path: Path) -> list[float]:
    packets = media.ffprobe(path, "-show_entries", "packet=pts_time")["packets"]
    return [float(packet["pts_time"]) for packet in packets]


def mark(level: int) -> int:
    """Of a half's level, 0 to 255."""
    return round((16 + level * 219 / 255 - 20) / 14)


@pytest.mark.parametrize("rate", [(25, 1), (30_000, 1001), (60, 1)])
def test_every_frame_is_shown_at_its_time_when_the_rate_varies(
    tmp_path: Path, rate: tuple[int, int]
) -> None:
    """Slot by slot: the last frame that is not later, at most half a slot early."""
    num, den = rate
    frames = round(4 * num / den)
    planned = plan_for(marked()) | {"frame_rate": {"num": num, "den": den}, "chunk_count": 1}
    made = transcode(marked(), tmp_path, planned | {"segment_frames": frames})
    seen = [mark(picture[0]) + 16 * mark(picture[1]) for picture in pictures(made.video(), 2, 1)]
    times = times_s(marked())
    for slot, shown in enumerate(seen):
        now_s = times[0] + (slot + 0.5) * den / num
        due = max((n for n, time in enumerate(times) if time < now_s - 1e-6), default=0)
        early = max((n for n, time in enumerate(times) if time <= now_s + 1e-6), default=0)
        assert shown in (due, early), f"slot {slot} shows {shown}, not {due}"
    assert len(seen) == pytest.approx((times[-1] - times[0]) * num / den, abs=3)
