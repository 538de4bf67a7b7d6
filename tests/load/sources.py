"""What is uploaded: so short that a hundred of them end in a quarter of an hour on two cores, so
long that it is the encoding that takes the time, and of every kind that people upload."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.harness import media

_CAMERA = (
    "-c:v",
    "libx264",
    "-preset",
    "veryfast",
    "-pix_fmt",
    "yuv420p",
    "-g",
    "50",
    "-c:a",
    "aac",
)


@dataclass(frozen=True, slots=True)
class Source:
    """A file and what a browser would say that it is."""

    name: str
    path: str
    content_type: str

    @property
    def size_bytes(self) -> int:
        return Path(self.path).stat().st_size


def _phone() -> Path:
    return media.clip("portrait.mp4", 32, "1080x1920", *_CAMERA)


def _hd() -> Path:
    return media.clip("hd.mp4", 40, "1920x1080", *_CAMERA)


def _quicktime() -> Path:
    codecs = ("-c:v", "mpeg4", "-c:a", "pcm_s16le")
    return media.clip("camera.mov", 45, "1280x720", *codecs)


def _matroska() -> Path:
    codecs = ("-c:v", "libx265", "-preset", "ultrafast", "-c:a", "ac3")
    return media.clip("film.mkv", 20, "640x360", *codecs)


def _avi() -> Path:
    return media.clip("old.avi", 30, "640x360", "-c:v", "mpeg4", "-c:a", "libmp3lame")


def _webm() -> Path:
    codecs = ("-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libopus")
    return media.clip("screen.webm", 20, "640x360", *codecs)


def _silent() -> Path:
    return media.silent_clip("silent.mp4", seconds=10)


Kind = tuple[str, Callable[[], Path], str, int]
"""Name, file, type, how many of a hundred."""

_MIX: tuple[Kind, ...] = (
    ("mp4, 360p, 30 s", lambda: media.clip("clip.mp4", 30), "video/mp4", 16),
    ("mp4, portrait 1080p, 32 s", _phone, "video/mp4", 14),
    ("mp4, 1080p, 40 s", _hd, "video/mp4", 10),
    ("mov, MPEG-4 and PCM, 720p, 45 s", _quicktime, "video/quicktime", 12),
    ("mkv, 5.1 and texts, 9 s", media.everything, "video/x-matroska", 6),
    ("mkv, HEVC and AC-3, 20 s", _matroska, "video/x-matroska", 8),
    ("avi, MPEG-4 and MP3, 30 s", _avi, "video/x-msvideo", 8),
    ("webm, VP8 and Opus, 20 s", _webm, "video/webm", 8),
    ("mp4, silent, 10 s", _silent, "video/mp4", 6),
    ("mp4, cartoon", lambda: media.BUNNY, "video/mp4", 4),
    ("mpg, MPEG-1, hand-held", lambda: media.MEDIA / "cityCC0.mpg", "video/mpeg", 3),
    ("mp4, film trailer, 52 s", lambda: media.SINTEL, "video/mp4", 3),
    ("mp4, noise, 8 s", media.large_clip, "video/mp4", 2),
)
_FEW: tuple[Kind, ...] = (
    ("mp4, 360p, 3 s", lambda: media.clip("short.mp4"), "video/mp4", 50),
    ("mp4, silent, 2 s", lambda: media.silent_clip("silent.mp4"), "video/mp4", 30),
    ("mp4, noise, 8 s", media.large_clip, "video/mp4", 20),
)
"""To try it out: small ones, and one that is uploaded in parts."""


def mix(count: int) -> list[Source]:
    """`count` uploads, the kinds interleaved, each as often as its share."""
    kinds = _MIX if count > len(_MIX) else _FEW
    made = [Source(name, str(make()), kind) for name, make, kind, _ in kinds]
    shares = [share for *_, share in kinds]
    given = [0] * len(made)
    order = []
    for number in range(1, count + 1):
        # The kind that is furthest behind its share is next.
        behind = [share * number / 100 - have for share, have in zip(shares, given, strict=True)]
        chosen = behind.index(max(behind))
        given[chosen] += 1
        order.append(made[chosen])
    return order


def write(sources: list[Source], path: Path) -> None:
    path.write_text(json.dumps([asdict(source) for source in sources]))


def read(path: Path) -> list[Source]:
    return [Source(**entry) for entry in json.loads(path.read_text())]
