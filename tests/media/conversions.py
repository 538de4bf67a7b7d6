"""Sources that the conversion matrix takes beside those of `matrix.py`: codecs in the containers
they usually come in, real clips, several sounds, awkward times. Made when first asked for, kept in
`build/`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.harness import media
from tests.media.matrix import CLIPS

_CARD = "-f lavfi -i testsrc2=size={size}:rate=25:duration={seconds}"
_TONE = "-f lavfi -i sine=frequency=440:sample_rate=48000:duration={seconds}"
_BOTH = f"{_CARD} {_TONE}".format(size="160x90", seconds=1)
_X264 = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 25"
_HEVC = "-c:v libx265 -preset ultrafast -x265-params log-level=none"
_SURROUND = "|".join(f"0.2*sin({tone}*2*PI*t)" for tone in (440, 400, 500, 60, 700, 800))
_REAL = "-map 0:v:0 -map 0:a:0 -c copy"

GENERATED: dict[str, str] = {
    # Codecs in their usual containers.
    "hevc-aac.mov": f"{_BOTH} {_HEVC} -pix_fmt yuv420p -tag:v hvc1 -c:a aac",
    "hevc-eac3.mkv": f"{_BOTH} {_HEVC} -pix_fmt yuv420p10le -c:a eac3",
    "hevc-ac3.ts": f"{_BOTH} {_HEVC} -pix_fmt yuv420p -c:a ac3",
    "av1-opus.mp4": f"{_BOTH} -c:v libsvtav1 -preset 12 -pix_fmt yuv420p -c:a libopus",
    "av1-opus.webm": f"{_BOTH} -c:v libsvtav1 -preset 12 -pix_fmt yuv420p -c:a libopus",
    "vp9-flac.mkv": f"{_BOTH} -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a flac",
    "mpeg2-ac3.ts": f"{_BOTH} -c:v mpeg2video -q:v 3 -c:a ac3",
    "mpeg2-mp2.mkv": f"{_BOTH} -c:v mpeg2video -q:v 3 -c:a mp2",
    "mpeg4-aac.mp4": f"{_BOTH} -c:v mpeg4 -q:v 3 -bf 2 -c:a aac",
    "mpeg4-mp3.mkv": f"{_BOTH} -c:v mpeg4 -q:v 3 -c:a libmp3lame",
    "mjpeg-pcm.avi": f"{_BOTH} -c:v mjpeg -pix_fmt yuvj420p -q:v 2 -c:a pcm_s16le",
    "mjpeg-pcm.mov": f"{_BOTH} -c:v mjpeg -pix_fmt yuvj422p -q:v 2 -c:a pcm_s16be",
    "h264-mp3.avi": f"{_BOTH} {_X264} -bf 0 -c:a libmp3lame",
    "h264-mp3.flv": f"{_BOTH} {_X264} -c:a libmp3lame -ar 44100",
    "flv1-mp3.flv": f"{_BOTH} -c:v flv -q:v 3 -c:a libmp3lame -ar 44100",
    "prores-422-hq.mov": f"{_BOTH} -c:v prores_ks -profile:v 3 -c:a pcm_s24le",
    "ffv1-pcm.avi": f"{_BOTH} -c:v ffv1 -pix_fmt yuv420p -c:a pcm_s16le",
    # Shapes.
    "anamorphic.mp4": f"{_BOTH} -vf setsar=64/45 {_X264} -c:a aac",
    "anamorphic.mpg": f"{_BOTH} -vf setdar=16/9,scale=144:96 -c:v mpeg2video -q:v 3 -c:a mp2",
    # Sounds.
    "surround.mkv": f"{_CARD.format(size='160x90', seconds=1)} -f lavfi -i "
    f"aevalsrc=exprs={_SURROUND}:c=5.1:s=48000:d=1 {_X264} -c:a ac3",
    "three-sounds.mp4": f"{_BOTH} {_TONE.format(seconds=1)} {_TONE.format(seconds=1)} "
    f"-map 0 -map 1 -map 2 -map 3 {_X264} -c:a aac",
    # Times.
    "late.ts": f"{_BOTH} {_X264} -bf 2 -c:a mp2 -output_ts_offset 100",
    "below-zero.mkv": f"{_BOTH} {_X264} -bf 2 -c:a libopus",
    # Pieces of real films; copies begin at a key frame.
    "bunny.mp4": f"-t 1 -i {media.BUNNY} {_REAL}",
    "sintel.mkv": f"-ss 24.34 -t 1 -i {media.SINTEL} {_REAL}",
    "sintel.ts": f"-ss 27.42 -t 1 -i {media.SINTEL} {_REAL}",
    "sintel.mov": f"-ss 25.88 -t 1 -i {media.SINTEL} {_REAL}",
    "cars.mp4": f"-t 2 -i {media.MEDIA / 'car-detection.mp4'} -map 0:v:0 -c copy",
}
"""Arguments of ffmpeg, by the name of what it makes of them."""


def _almost_whole(name: str) -> Path:
    """All but the last fiftieth of a file's bytes: what is left out is told, the rest is used."""
    return media.truncated(CLIPS[name].path, 0.98)


def _from_half(name: str) -> Path:
    """The second half of a clip, copied from the key frame before, which an edit list hides."""
    return media.ffmpeg(name, "-ss", "0.52", "-i", str(CLIPS["h264-aac.mp4"].path), "-c", "copy")


SOURCES: dict[str, Callable[[], Path]] = {
    "edit-list.mp4": lambda: _from_half("edit-list.mp4"),
    "edit-list.mov": lambda: _from_half("edit-list.mov"),
    "almost-whole.mkv": lambda: _almost_whole("hundred.mkv"),
    "almost-whole.mp4": lambda: _almost_whole("hundred.mp4"),
    "almost-whole.flv": lambda: _almost_whole("h264-aac.flv"),
    "city.mpg": lambda: media.truncated(media.MEDIA / "cityCC0.mpg", 0.15),
}


def path(name: str) -> Path:
    """Of the source `name`, whoever makes it."""
    if name in SOURCES:
        return SOURCES[name]()
    if name in GENERATED:
        return media.ffmpeg(name, *GENERATED[name].split())
    return CLIPS[name].path
