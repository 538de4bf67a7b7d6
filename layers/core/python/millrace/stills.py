"""The thumbnail task: still frames from the engine, made into JPEGs by Pillow, and the storyboard
(small pictures over the whole length, for a player's seek bar), which the engine makes whole."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from PIL import Image

from millrace import keys, plan, scratch, storage, tasks
from millrace.errors import Reason, RetryableError
from millrace.metrics import Metric, tell
from millrace.model import TaskKind, Video
from millrace.worker import Job

POSTER = "poster.jpg"
STORYBOARD = "storyboard.vtt"
"""Names the sprites `storyboard/00.jpg`, …, relative to itself."""
_QUALITY = 82


def work(job: Job) -> None:
    """The thumbnails at the plan's times, the storyboard and the poster."""
    the_plan = plan.from_json(job.video.plan or {})
    wanted, poster = the_plan.thumbnails, the_plan.poster
    size = (wanted.width, wanted.height)
    times_s = [poster.time_s, *wanted.times_s]
    with scratch.folder() as folder:
        asked = ["--storyboard"] if wanted.storyboard else []
        pictures = _frames(job, folder, times_s, size, *asked)
        bytes_out = _store_storyboard(job, folder) if wanted.storyboard else 0
    job.heart.progress(60)
    thumbnails = []
    for number, (time_s, picture) in enumerate(zip(wanted.times_s, pictures[1:], strict=True)):
        path = f"thumbnails/{number:02d}.jpg"
        bytes_out += _store(job, path, _padded(picture, size))
        thumbnails.append({"time_s": time_s, "path": path})
    at_s = most_telling(times_s, pictures)
    with scratch.folder() as folder:
        (picture,) = _frames(job, folder, [at_s], (poster.width, poster.height), "--skip-black")
    bytes_out += _store(job, POSTER, picture)
    output: dict[str, Any] = {"thumbnails": thumbnails, "poster": POSTER}
    output["bytes_read"] = job.reading.bytes_read
    made = [Video.thumbnails.set(thumbnails), Video.poster.set(POSTER)]
    if wanted.storyboard:
        output["storyboard"] = STORYBOARD
        made.append(Video.storyboard.set(STORYBOARD))
    told = {**job.told, "files": len(thumbnails) + 2, "bytes_out": bytes_out}
    tasks.finish(job.lease, output, *made, told=told)
    tell({Metric.BYTES_OUT: bytes_out}, kind=TaskKind.THUMBNAIL.value)


def most_telling(times_s: list[float], pictures: list[Image.Image]) -> float:
    """The time of the picture with the most in it: a fade, a title or fog says little.

    Of equal ones the first.
    """
    contents = [picture.convert("L").entropy() for picture in pictures]
    return times_s[contents.index(max(contents))]


def _frames(
    job: Job, folder: Path, times_s: list[float], size: tuple[int, int], *options: str
) -> list[Image.Image]:
    """Frames at these times, fitted inside `size` with the display aspect kept.

    Args:
        folder: the engine's output; what `options` ask for besides is left in it.
    """
    times = ",".join(f"{time_s:g}" for time_s in times_s)
    box = ("--width", str(size[0]), "--height", str(size[1]))
    job.run_engine("thumbnail", "--times", times, *box, "--output", str(folder), *options)
    return [_opened(folder / f"{number:02d}.png") for number in range(len(times_s))]


def _store_storyboard(job: Job, folder: Path) -> int:
    """The sprites, then the track that names them. Returns the bytes of all."""
    video_id, site = job.lease.task.video_id, job.shop.site
    size_bytes = 0
    for sprite in sorted((folder / "storyboard").glob("*.jpg")):
        site.put_file(keys.media_key(video_id, f"storyboard/{sprite.name}"), sprite)
        size_bytes += sprite.stat().st_size
    try:
        track = (folder / STORYBOARD).read_text()
    except OSError as error:
        message = "The engine's storyboard could not be read."
        raise RetryableError(Reason.OUTPUT_FAILED, message) from error
    site.put_text(keys.media_key(video_id, STORYBOARD), track, storage.FINISHED)
    return size_bytes + len(track.encode())


def _opened(path: Path) -> Image.Image:
    try:
        with Image.open(path) as picture:
            return picture.convert("RGB")
    except OSError as error:
        message = "The engine's still frame could not be read."
        raise RetryableError(Reason.OUTPUT_FAILED, message) from error


def _padded(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Exactly `size`, black at the sides or above and below: no stretching, nothing cut off."""
    picture.thumbnail(size)
    canvas = Image.new("RGB", size)
    left, top = (size[0] - picture.width) // 2, (size[1] - picture.height) // 2
    canvas.paste(picture, (left, top))
    return canvas


def _store(job: Job, path: str, picture: Image.Image) -> int:
    """Returns the picture's size in bytes."""
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=_QUALITY, optimize=True, progressive=True)
    key = keys.media_key(job.lease.task.video_id, path)
    job.shop.site.put_bytes(key, content.getvalue(), storage.IMMUTABLE)
    return len(content.getvalue())
