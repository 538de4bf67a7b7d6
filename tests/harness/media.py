"""Sources for the tests: two real clips, and what `ffmpeg` makes on demand (kept in build/)."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent.parent
MEDIA = REPOSITORY / "tests" / "media" / "clips"
GENERATED = REPOSITORY / "build" / "test-media"

BUNNY = MEDIA / "bigbuckbunny.mp4"
SINTEL = MEDIA / "sintel_trailer-720p.mp4"

_PICTURE = "testsrc2=size={size}:rate=25:duration={seconds}"
_SOUND = "sine=frequency=440:sample_rate=48000:duration={seconds}"
_X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "50")


_CARD = """1
00:00:01,000 --> 00:00:02,500
<b>Both</b> & <i>one</i>

2
00:00:03,500 --> 00:00:08,250
Over & over the borders
of the grid
"""


def ffmpeg(name: str, *arguments: str) -> Path:
    """The generated file `name`, made once by `ffmpeg ARGUMENTS… name`.

    It lies in a folder of these arguments: tests may give the same name to other files.
    """
    folder = GENERATED / hashlib.sha256("\0".join(arguments).encode()).hexdigest()[:12]
    path = folder / name
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{os.getpid()}-{name}"
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", *arguments, str(temporary)]
    subprocess.run(command, check=True)
    temporary.replace(path)
    return path


def clip(name: str, seconds: float = 3, size: str = "640x360", *arguments: str) -> Path:
    """A test card with a tone; `arguments` choose the codecs (H.264 + AAC by default)."""
    return ffmpeg(
        name,
        *("-f", "lavfi", "-i", _PICTURE.format(size=size, seconds=seconds)),
        *("-f", "lavfi", "-i", _SOUND.format(seconds=seconds)),
        *(arguments or (*_X264, "-c:a", "aac")),
    )


def short_film() -> Path:
    """Sixteen seconds of the trailer, two chunks: long enough to be killed in the middle."""
    return ffmpeg("short-film.mp4", "-ss", "12", "-t", "16", "-i", str(SINTEL), "-c", "copy")


def silent_clip(name: str, *arguments: str, seconds: float = 2) -> Path:
    picture = _PICTURE.format(size="640x360", seconds=seconds)
    return ffmpeg(name, "-f", "lavfi", "-i", picture, *_X264, *arguments)


def one_frame() -> Path:
    return silent_clip("one-frame.mp4", "-frames:v", "1")


def everything() -> Path:
    """9 s with a 5.1 and a stereo sound, three texts and a picture track."""
    texts = written("card.srt", _CARD.encode())
    sound = "sine=frequency=440:sample_rate=48000:duration=9"
    surround = "|".join(f"0.2*sin({tone}*2*PI*t)" for tone in (300, 400, 500, 60, 700, 800))
    return ffmpeg(
        "everything.mkv",
        *("-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25:duration=9"),
        *("-f", "lavfi", "-i", f"aevalsrc={surround}:c=5.1:s=48000:d=9"),
        *("-f", "lavfi", "-i", sound, "-i", str(texts)),
        *("-map", "0", "-map", "1", "-map", "2", "-map", "3", "-map", "3", "-map", "3"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac"),
        *("-b:a:0", "384k", "-c:s:0", "subrip", "-c:s:1", "ass", "-c:s:2", "webvtt"),
        *("-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=deu"),
        *("-metadata:s:s:0", "language=eng", "-metadata:s:s:1", "language=eng"),
        *("-disposition:s:0", "0", "-disposition:s:1", "default", "-disposition:s:2", "forced"),
    )


def loud_surround() -> Path:
    """Two seconds of a tone at full scale in every channel but the LFE."""
    tone = "sin(440*2*PI*t)"
    sound = f"aevalsrc={tone}|{tone}|{tone}|0|{tone}|{tone}"
    return ffmpeg(
        "loud-surround.mkv",
        *("-f", "lavfi", "-i", _PICTURE.format(size="320x180", seconds=2)),
        *("-f", "lavfi", "-i", f"{sound}:c=5.1:s=48000:d=2", *_X264, "-c:a", "pcm_s16le"),
    )


def audio_only() -> Path:
    return ffmpeg("audio-only.m4a", "-f", "lavfi", "-i", _SOUND.format(seconds=2), "-c:a", "aac")


def large_clip() -> Path:
    """Above the multipart threshold of 16 MiB: noise does not compress."""
    return ffmpeg(
        "large.mp4",
        *("-f", "lavfi", "-i", "nullsrc=size=640x360:rate=25:duration=8,geq=random(1)*255:128:128"),
        *("-f", "lavfi", "-i", _SOUND.format(seconds=8)),
        *("-c:v", "libx264", "-preset", "ultrafast", "-b:v", "24M", "-c:a", "aac"),
    )


def long_large_clip() -> Path:
    """The same in small pictures, long enough for three chunks."""
    noise = "nullsrc=size=320x180:rate=25:duration=28,geq=random(1)*255:128:128"
    return ffmpeg(
        "long-large.mp4",
        *("-f", "lavfi", "-i", noise, "-f", "lavfi", "-i", _SOUND.format(seconds=28)),
        *("-c:v", "libx264", "-preset", "ultrafast", "-b:v", "8M", "-g", "50", "-c:a", "aac"),
    )


def written(name: str, content: bytes) -> Path:
    GENERATED.mkdir(parents=True, exist_ok=True)
    path = GENERATED / name
    path.write_bytes(content)
    return path


def truncated(source: Path, keep: float) -> Path:
    """The first `keep` (0…1) of a file's bytes."""
    content = source.read_bytes()
    name = f"{source.stem}-{keep:.2f}{source.suffix}"
    return written(name, content[: int(len(content) * keep)])


def ffprobe(source: str | Path, *arguments: str) -> dict[str, Any]:
    """An independent opinion of a file or an HLS URL."""
    command = ["ffprobe", "-v", "error", "-of", "json", *arguments, str(source)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def decode_errors(url: str) -> str:
    """What ffmpeg complains about when it decodes everything; empty for a sound stream.

    Times are taken as they are: in steps of the frame rate uneven ones would coincide.
    """
    times = ("-enc_time_base", "-1")
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", url, *times, "-f", "null", "-"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stderr
