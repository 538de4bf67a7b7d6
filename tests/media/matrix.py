"""Awkward and broken sources, one for every kind that users send: small, and made when first asked
for (kept in `build/test-media/matrix`).

`python -m tests.media.matrix` makes them all.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.media import surgery

REPOSITORY = Path(__file__).resolve().parent.parent.parent
FOLDER = REPOSITORY / "build" / "test-media" / "matrix"

CUTS = tuple(range(1, 13))
"""Thirteenths of a file that are there when it is cut."""

_X264 = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 25"
_HEVC10 = "-c:v libx265 -preset ultrafast -pix_fmt yuv420p10le -tag:v hvc1 -x265-params"
_MASTERING = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)"


@dataclass(frozen=True)
class Clip:
    name: str
    make: Callable[[Path], None]

    @property
    def path(self) -> Path:
        """The file, made if it is not there yet; whole whenever it is."""
        final = FOLDER / self.name
        if not final.exists():
            FOLDER.mkdir(parents=True, exist_ok=True)
            temporary = FOLDER / f".{os.getpid()}-{self.name}"
            self.make(temporary)
            temporary.replace(final)
        return final

    @property
    def content(self) -> bytes:
        return self.path.read_bytes()


CLIPS: dict[str, Clip] = {}


def _add(name: str, make: Callable[[Path], None]) -> None:
    assert name not in CLIPS
    CLIPS[name] = Clip(name, make)


def _ffmpeg(name: str, *arguments: str) -> None:
    """A clip made by ffmpeg; the arguments are split at white space."""
    words = [word for argument in arguments for word in argument.split()]

    def make(path: Path) -> None:
        command = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-threads", "1", *words, str(path)]
        subprocess.run(command, check=True)

    _add(name, make)


def _derived(name: str, source: str, change: Callable[[bytes], bytes]) -> None:
    """A clip made of another one's bytes."""
    _add(name, lambda path: _write(path, change(CLIPS[source].content)))


def _written(name: str, content: bytes) -> None:
    _add(name, lambda path: _write(path, content))


def _followed(name: str, first: str, second: str) -> None:
    """A clip that is two others, one after the other."""
    _derived(name, first, lambda content: content + CLIPS[second].content)


def _copied(name: str, source: str, *arguments: str) -> None:
    """A clip made of another one's streams."""

    def make(path: Path) -> None:
        words = [word for argument in arguments for word in argument.split()]
        command = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", str(CLIPS[source].path)]
        subprocess.run([*command, *words, str(path)], check=True)

    _add(name, make)


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _picture(size: str = "160x90", rate: str = "25", seconds: float = 1) -> str:
    return f"-f lavfi -i testsrc2=size={size}:rate={rate}:duration={seconds}"


def _sound(seconds: float = 1, rate: int = 48_000) -> str:
    return f"-f lavfi -i sine=frequency=440:sample_rate={rate}:duration={seconds}"


def _cut(thirteenths: int) -> Callable[[bytes], bytes]:
    return lambda content: content[: len(content) * thirteenths // 13]


def _no_videos() -> None:
    _written("zero-bytes.mp4", b"")
    _written("text.mp4", b"This is no video, whatever its name.\n" * 99)
    _written("noise.mp4", surgery.overwritten(bytes(5000), 0, 5000))
    _ffmpeg("audio-only.m4a", _sound(), "-c:a aac")
    _ffmpeg(
        "cover-only.m4a",
        *(_sound(), _picture("64x64"), "-frames:v 1 -c:a aac -c:v mjpeg -pix_fmt yuvj420p"),
        "-disposition:v attached_pic",
    )


def _containers() -> None:
    both = _picture() + " " + _sound()
    _ffmpeg("h264-aac.mp4", both, _X264, "-bf 2 -c:a aac -b:a 64k -movflags +faststart")
    _copied("h264-aac.ts", "h264-aac.mp4", "-c copy")
    _copied("h264-aac.flv", "h264-aac.mp4", "-c copy")
    _copied("h264-aac.mkv", "h264-aac.mp4", "-c copy")
    _copied("fragmented.mp4", "h264-aac.mp4", "-c copy -movflags frag_keyframe+empty_moov")
    _copied("video-only.mp4", "h264-aac.mp4", "-c copy -an")
    _ffmpeg("mpeg2-mp2.mpg", both, "-c:v mpeg2video -q:v 4 -c:a mp2")
    _ffmpeg("mpeg4-mp3.avi", both, "-c:v mpeg4 -q:v 4 -c:a libmp3lame")
    _ffmpeg("vp8-vorbis.webm", both, "-c:v libvpx -deadline realtime -cpu-used 8 -c:a libvorbis")
    _ffmpeg("vp9-opus.webm", both, "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a libopus")
    _ffmpeg("prores-pcm.mov", both, "-c:v prores_ks -profile:v 0 -c:a pcm_s16le")
    _ffmpeg("h263-aac.3gp", both, "-s 176x144 -c:v h263 -c:a aac -ar 44100")
    _ffmpeg("theora-vorbis.ogv", both, "-c:v libtheora -q:v 5 -c:a libvorbis")
    _ffmpeg("wmv2-wma.wmv", both, "-c:v wmv2 -q:v 4 -c:a wmav2")
    _ffmpeg("mpeg2-pcm.mxf", both, "-c:v mpeg2video -q:v 4 -c:a pcm_s16le")
    _ffmpeg("vp8.ivf", _picture(), "-c:v libvpx -deadline realtime -cpu-used 8")
    _ffmpeg("animation.gif", _picture(rate="10"))


def _times() -> None:
    _ffmpeg("one-frame.mp4", _picture(), _X264, "-frames:v 1")
    _ffmpeg("fifth-of-a-second.mp4", _picture(seconds=0.2), _sound(0.2), _X264, "-c:a aac")
    # One picture an hour, for eleven and thirteen hours.
    _ffmpeg("eleven-hours.mp4", _picture(rate="1/3600", seconds=39_600), _X264, "-g 1")
    _ffmpeg("thirteen-hours.mp4", _picture(rate="1/3600", seconds=46_800), _X264, "-g 1")
    # A second at 1 frame a second, one at 24, half a one at 240.
    steps = "select=eq(n\\,0)+between(n\\,240\\,479)*not(mod(n\\,10))+gte(n\\,480)"
    _ffmpeg(
        "1-to-240-fps.mp4", _picture(rate="240", seconds=2.5), f"-vf {steps}", "-vsync vfr", _X264
    )
    _ffmpeg("240-fps.mp4", _picture(rate="240"), _X264)
    _ffmpeg("h264-without-pts.avi", _picture(), _X264, "-bf 2")
    _ffmpeg("every-pts.ts", _picture(), _X264, "-bf 0")
    _derived("few-pts.ts", "every-pts.ts", lambda ts: surgery.without_presentation_times(ts, 10))
    # The 33 bits of a time in MPEG-TS overflow after 95443.7 s.
    _ffmpeg(
        "pts-wrap.ts", _picture(seconds=2), _sound(2), _X264, "-c:a aac -output_ts_offset 95441.7"
    )


def _pictures() -> None:
    _ffmpeg(
        "odd-size.mp4",
        _picture("162x92"),
        "-vf format=yuv444p,crop=161:91 -c:v libx264 -preset ultrafast",
    )
    for pixels, codec in (("nv12", "rawvideo"), ("yuyv422", "rawvideo"), ("yuva420p", "ffv1")):
        _ffmpeg(
            f"odd-size-{pixels}.mkv",
            _picture("162x92", seconds=0.12),
            f"-vf format=yuv444p,crop=161:91 -c:v {codec} -pix_fmt {pixels} -allow_raw_vfw 1",
        )
    _ffmpeg("1x1.mkv", _picture("16x16", seconds=0.4), "-vf format=yuv444p,crop=1:1 -c:v ffv1")
    _ffmpeg(
        "16384x1.mkv",
        _picture("16384x16", seconds=0.2),
        "-vf format=yuv444p,crop=16384:1 -c:v ffv1",
    )
    _ffmpeg(
        "1x16384.mkv",
        _picture("16x16384", seconds=0.2),
        "-vf format=yuv444p,crop=1:16384 -c:v ffv1",
    )
    _ffmpeg("8k.mp4", "-f lavfi -i color=gray:size=7680x4320:rate=25:duration=0.08", _X264)
    _ffmpeg("10-bit.mkv", _picture(), "-c:v ffv1 -pix_fmt yuv420p10le")
    _ffmpeg("12-bit.mkv", _picture(), "-c:v ffv1 -pix_fmt yuv420p12le")
    _ffmpeg("422.mp4", _picture(), "-c:v libx264 -preset ultrafast -pix_fmt yuv422p10le")
    _ffmpeg("444.mp4", _picture(), "-c:v libx264 -preset ultrafast -pix_fmt yuv444p")
    _ffmpeg("alpha.mov", _picture(), "-vf format=argb,colorchannelmixer=aa=0.5 -c:v qtrle")
    _ffmpeg("alpha-yuv.mov", _picture(), "-c:v prores_ks -profile:v 4444 -pix_fmt yuva444p10le")
    _ffmpeg("palette.mov", _picture(), "-c:v png -pix_fmt pal8")
    _ffmpeg("gray.mkv", _picture(), "-c:v ffv1 -pix_fmt gray")
    for degrees in (0, 90, 180, 270):
        _copied(
            f"rotated-{degrees}.mp4",
            "video-only.mp4",
            f"-c copy -metadata:s:v rotate={-degrees % 360}",
        )
    for order, top in (("tff", 1), ("bff", 0)):
        _ffmpeg(
            f"interlaced-{order}.mpg",
            _picture(rate="50"),
            f"-vf interlace=scan={order},setfield={order} -flags +ilme+ildct -top {top}",
            "-c:v mpeg2video -q:v 3",
        )
    for name, size, offset in (
        ("first", "160x90", 0),
        ("second", "120x120", 1),
        ("large", "640x360", 1),
    ):
        _ffmpeg(f"{name}-size.ts", _picture(size), _X264, f"-output_ts_offset {offset}")
    _followed("size-change.ts", "first-size.ts", "second-size.ts")
    _followed("growing.ts", "first-size.ts", "large-size.ts")


def _high_dynamic_range() -> None:
    common = "log-level=none:colorprim=bt2020:colormatrix=bt2020nc:repeat-headers=1"
    pq = f"{common}:transfer=smpte2084:hdr10=1:master-display={_MASTERING}:max-cll=1000,400"
    _ffmpeg("hdr10.mp4", _picture(seconds=0.4), _HEVC10, pq)
    _ffmpeg("hlg.mp4", _picture(seconds=0.4), _HEVC10, f"{common}:transfer=arib-std-b67")
    _derived("dolby-vision-8.mp4", "hdr10.mp4", surgery.with_dolby_vision)


def _sounds() -> None:
    nine = " ".join(_sound(0.6) for _ in range(9))
    maps = " ".join(f"-map {index}" for index in range(10))
    _ffmpeg("9-audio-tracks.mp4", _picture(seconds=0.6), nine, maps, _X264, "-c:a aac -b:a 32k")
    _ffmpeg("96-khz.mkv", _picture(), _sound(rate=96_000), _X264, "-c:a flac")
    _ffmpeg("8-bit-mono.avi", _picture(), _sound(rate=8_000), "-c:v mpeg4 -c:a pcm_u8")
    channels = "|".join(f"0.1*sin({220 + 20 * n}*2*PI*t)" for n in range(24))
    many = f"-f lavfi -i aevalsrc=exprs={channels}:c=24c:s=48000:d=1"
    _ffmpeg("24-channels.mov", _picture(), many, _X264, "-c:a pcm_s16le")
    _ffmpeg(
        "cover-and-film.mp4",
        *(_picture("64x64", seconds=0.04), _picture(), _sound(), "-map 0 -map 1 -map 2"),
        "-c:v:0 mjpeg -pix_fmt:v:0 yuvj420p -disposition:v:0 attached_pic",
        "-c:v:1 libx264 -preset ultrafast -pix_fmt:v:1 yuv420p -c:a aac",
    )


def _references() -> None:
    target = "http://127.0.0.1:9/film.ts"
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{target}\n#EXT-X-ENDLIST\n".encode()
    texts = {
        "playlist.mp4": playlist,
        "concat.mp4": f"ffconcat version 1.0\nfile '{target}'\n".encode(),
        "manifest.mp4": f"<?xml version='1.0'?><MPD><BaseURL>{target}</BaseURL></MPD>".encode(),
        "vobsub.mp4": b"# VobSub index file, v7 (do not modify this line!)\nid: en, index: 0\n",
    }
    for name, text in texts.items():
        _written(name, text)
    _copied("index-last.mov", "h264-aac.mp4", "-c copy")
    source = "index-last.mov"
    _derived("dref.mov", source, lambda movie: surgery.with_data_elsewhere(movie, target))
    _derived("rmra.mov", source, lambda movie: surgery.reference_movie(movie, target))
    _derived("gab2.avi", "mpeg4-mp3.avi", lambda avi: surgery.with_embedded_playlist(avi, playlist))


def _damage() -> None:
    hundred = _picture("64x36", seconds=4)
    _ffmpeg("hundred.mov", hundred, "-c:v png")
    _ffmpeg("hundred.mp4", hundred, _X264, "-g 1 -movflags +faststart")
    _ffmpeg("hundred.mkv", hundred, _X264, "-g 1 -cluster_time_limit 500")
    for cut in CUTS:
        for name in ("h264-aac.mp4", "h264-aac.mkv", "h264-aac.ts"):
            _derived(f"cut-{cut:02}-of-13-{name}", name, _cut(cut))


for _family in (
    *(_no_videos, _containers, _times, _pictures, _high_dynamic_range, _sounds),
    *(_references, _damage),
):
    _family()


def main() -> None:
    started = time.monotonic()
    for clip in CLIPS.values():
        before = time.monotonic()
        size = clip.path.stat().st_size
        sys.stdout.write(f"{time.monotonic() - before:6.2f} s {size:9} {clip.name}\n")
    sys.stdout.write(f"{len(CLIPS)} files in {time.monotonic() - started:.1f} s\n")


if __name__ == "__main__":
    main()
