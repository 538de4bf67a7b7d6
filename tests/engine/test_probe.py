"""What `probe` tells: valid by its schema for every container, and what ffprobe finds, too."""

from __future__ import annotations

import json
import random
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from millrace.media import parse
from tests.harness import media

pytestmark = pytest.mark.needs_engine

ENGINE = media.REPOSITORY / "build" / "engine" / "release" / "millrace-engine"
SCHEMA = json.loads((media.REPOSITORY / "docs" / "reference" / "probe.schema.json").read_text())
VALIDATOR = Draft202012Validator(SCHEMA)

_VP8 = ("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8")
CONTAINERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "mp4": ("mp4", ("-c:v", "libx264", "-c:a", "aac")),
    "mov": ("mov", ("-c:v", "prores_ks", "-c:a", "pcm_s24le")),
    "3gp": ("3gp", ("-c:v", "h263", "-s", "352x288", "-ar", "8000", "-ac", "1", "-c:a", "aac")),
    "mkv": ("matroska", ("-c:v", "ffv1", "-pix_fmt", "yuv422p10le", "-c:a", "flac")),
    "webm": ("webm", (*_VP8, "-c:a", "libopus")),
    "avi": ("avi", ("-c:v", "mpeg4", "-c:a", "mp3")),
    "ts": ("mpegts", ("-c:v", "mpeg2video", "-c:a", "mp2")),
    "mpg": ("mpegps", ("-c:v", "mpeg2video", "-c:a", "mp2")),
    "flv": ("flv", ("-c:v", "flv", "-c:a", "mp3", "-ar", "44100")),
    "ogv": ("ogg", ("-c:v", "libtheora", "-c:a", "libvorbis")),
    "wmv": ("asf", ("-c:v", "wmv2", "-c:a", "wmav2")),
    "gif": ("gif", ("-c:v", "gif", "-an")),
    "mxf": ("mxf", ("-c:v", "mpeg2video", "-c:a", "pcm_s16le", "-ar", "48000")),
    "ivf": ("ivf", (*_VP8, "-an")),
}


def probe(source: Path, *options: str) -> dict[str, Any]:
    """The engine's answer, which must be as its schema says."""
    command = [str(ENGINE), "probe", str(source), *options]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert [error.message for error in VALIDATOR.iter_errors(result)] == []
    return result


def objects(schema: Any) -> Iterator[dict[str, Any]]:
    """Every object that a schema describes, however deep."""
    if isinstance(schema, dict):
        if "properties" in schema:
            yield schema
        for part in schema.values():
            yield from objects(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from objects(part)


def test_schema_allows_no_unknown_field_and_no_missing_one_when_read() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    described = list(objects(SCHEMA))
    assert len(described) > 10
    for schema in described:
        assert schema["additionalProperties"] is False
        assert schema["required"] == list(schema["properties"])


@pytest.mark.parametrize("extension", CONTAINERS)
def test_facts_are_ffprobes_when_a_container_is_probed(extension: str) -> None:
    family, codecs = CONTAINERS[extension]
    source = media.clip(f"probe.{extension}", 1, "320x240", *codecs)
    found = probe(source)
    assert found["format"]["container"] == family
    judged = media.ffprobe(source, "-show_streams")["streams"]
    told = {stream["stream"]: stream for stream in [*found["video"], *found["audio"]]}
    assert sorted(told) == [stream["index"] for stream in judged]
    for stream in judged:
        mine = told[stream["index"]]
        assert mine["codec"] == stream["codec_name"]
        if stream["codec_type"] == "video":
            assert (mine["width"], mine["height"]) == (stream["width"], stream["height"])
            assert mine["pixel_format"] == stream["pix_fmt"]
            assert mine["duration_s"] == pytest.approx(1, abs=0.05)
            assert mine["variable_frame_rate"] is False
        else:
            assert mine["sample_rate_hz"] == int(stream["sample_rate"])
            assert mine["channels"] == stream["channels"]
    assert parse(found).video[0].codec == found["video"][0]["codec"]


def test_real_clips_are_described_when_probed() -> None:
    for source in sorted(media.MEDIA.glob("*.mp*")):
        assert probe(source)["video"][0]["key_frames"] or source.suffix == ".mpg"


def test_key_frames_are_counted_when_there_is_an_index() -> None:
    source = media.silent_clip("key-frames.mkv", "-g", "10", "-x264-params", "scenecut=0")
    told = probe(source)["video"][0]["key_frames"]
    judged = media.ffprobe(source, "-select_streams", "v", "-skip_frame", "nokey", "-show_frames")
    times = [float(frame["pts_time"]) for frame in judged["frames"]]
    assert told["times_s"] == times == [0.0, 0.4, 0.8, 1.2, 1.6]
    assert (told["count"], told["longest_interval_s"]) == (5, 0.4)


def test_tracks_are_told_apart_when_there_are_many(tmp_path: Path) -> None:
    lines = tmp_path / "lines.srt"
    lines.write_text("1\n00:00:00,100 --> 00:00:00,900\nHello\n")
    chapters = tmp_path / "chapters.txt"
    chapters.write_text(
        ";FFMETADATA1\n"
        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=400\ntitle=Begin\n"
        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=400\nEND=1000\ntitle=" + "ü" * 150 + "\n"
    )
    source = tmp_path / "many.mkv"
    base = media.clip("many-base.mp4", 1, "320x240")
    arguments = ["-i", str(base), "-i", str(lines), "-i", str(chapters)]
    arguments += ["-map", "0:v", "-map", "0:a", "-map", "0:a", "-map", "1", "-map_chapters", "2"]
    arguments += ["-c", "copy", "-c:s", "srt", "-metadata:s:a:1", "language=deu"]
    arguments += ["-metadata:s:a:1", "title=Kommentar", "-disposition:a:1", "comment"]
    arguments += ["-disposition:s:0", "forced", "-metadata:s:s:0", "language=fra"]
    subprocess.run(["ffmpeg", "-v", "error", *arguments, source], check=True)
    found = probe(source)
    assert [track["language"] for track in found["audio"]] == ["und", "deu"]
    assert (found["audio"][1]["title"], found["audio"][1]["dispositions"]) == (
        "Kommentar",
        ["comment"],
    )
    (subtitle,) = found["subtitles"]
    assert (subtitle["codec"], subtitle["language"], subtitle["text"]) == ("subrip", "fra", True)
    assert (subtitle["forced"], subtitle["default"]) == (True, False)
    first, second = found["chapters"]
    assert first == {"start_s": 0.0, "end_s": 0.4, "title": "Begin"}
    assert second["title"] == "ü" * 100


def hdr10(name: str, *arguments: str) -> Path:
    return media.ffmpeg(
        name,
        *("-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25:duration=0.4"),
        *("-pix_fmt", "yuv420p10le", "-c:v", "libx265", "-tag:v", "hvc1", "-x265-params"),
        "log-level=none:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:"
        "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)"
        "L(10000000,50):max-cll=1000,400",
        *arguments,
    )


def test_hdr_is_told_in_full_when_the_picture_carries_it() -> None:
    video = probe(hdr10("hdr10.mp4"))["video"][0]
    assert (video["hdr"], video["bit_depth"], video["chroma_format"]) == ("pq", 10, "4:2:0")
    assert video["content_light"] == {"max_cll_cd_m2": 1000, "max_fall_cd_m2": 400}
    assert video["mastering_display"] == {
        "red": [0.68, 0.32],
        "green": [0.265, 0.69],
        "blue": [0.15, 0.06],
        "white_point": [0.3127, 0.329],
        "min_luminance_cd_m2": 0.005,
        "max_luminance_cd_m2": 1000.0,
    }
    assert video["dolby_vision"] is None


def with_dolby_vision(movie: bytes, profile: int, level: int, compatibility: int) -> bytes:
    """The movie (its moov behind the media) with a Dolby Vision configuration box in hvc1."""
    record = bytes([1, 0, profile << 1 | level >> 5, (level << 3 & 0xFF) | 0b101])
    box = struct.pack(">I4s", 32, b"dvvC") + record + bytes([compatibility << 4]) + bytes(19)
    at = movie.index(b"hvcC") - 4
    changed = bytearray(movie[:at] + box + movie[at:])
    for kind in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"hvc1"):
        start = movie.rindex(kind, 0, at) - 4
        (size,) = struct.unpack_from(">I", movie, start)
        struct.pack_into(">I", changed, start, size + len(box))
    return bytes(changed)


def test_dolby_vision_is_told_when_the_container_says_so() -> None:
    movie = with_dolby_vision(hdr10("hdr10.mp4").read_bytes(), profile=8, level=4, compatibility=1)
    source = media.written("dolby-vision.mp4", movie)
    judged = media.ffprobe(source, "-show_streams")["streams"][0]["side_data_list"]
    assert "DOVI configuration record" in [entry["side_data_type"] for entry in judged]
    video = probe(source)["video"][0]
    assert video["hdr"] == "pq"
    assert video["dolby_vision"] == {
        "profile": 8,
        "level": 4,
        "compatibility_id": 1,
        "rpu": True,
        "base_layer": True,
        "enhancement_layer": False,
    }


@pytest.mark.parametrize("extension", ["mp4", "mkv", "ts"])
def test_rate_is_variable_when_the_timestamps_say_so(extension: str) -> None:
    """Every third frame is missing: the mean is as even as can be."""
    source = media.silent_clip(f"uneven.{extension}", "-vf", "select=mod(n\\,3)", "-vsync", "vfr")
    video = probe(source)["video"][0]
    assert video["variable_frame_rate"] is True
    assert video["frame_intervals"]["shortest_s"] == pytest.approx(0.04, abs=0.001)
    assert video["frame_intervals"]["longest_s"] == pytest.approx(0.08, abs=0.001)


def test_rate_is_variable_when_only_the_middle_is() -> None:
    """The sampling looks further than the first frames."""
    source = media.ffmpeg(
        "uneven-middle.mkv",
        *("-f", "lavfi", "-i", "testsrc2=size=160x120:rate=10:duration=70"),
        *("-vf", "select=not(between(t\\,30\\,40))+mod(n\\,2)", "-vsync", "vfr"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-g", "50"),
    )
    assert probe(source)["video"][0]["variable_frame_rate"] is True


def test_durations_are_measured_when_matroska_does_not_tell_them() -> None:
    """The sound ends a second before the picture; the statistics tags are there but renamed."""
    source = media.ffmpeg(
        "short-sound.mkv",
        *("-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25:duration=3"),
        *("-f", "lavfi", "-i", "sine=duration=2", "-c:v", "libx264", "-preset", "ultrafast"),
        *("-g", "50", "-c:a", "aac"),
    )
    tagged = probe(source)
    untagged = media.written("untagged.mkv", source.read_bytes().replace(b"DURATION", b"NORATION"))
    found = probe(untagged)
    assert found["video"][0]["duration_s"] == pytest.approx(3, abs=0.001)
    assert tagged["audio"][0]["duration_s"] == pytest.approx(2, abs=0.05)


def test_hlg_and_fields_are_told_when_they_are_tagged() -> None:
    hlg = media.ffmpeg(
        "hlg.mkv",
        *("-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25:duration=0.4"),
        *("-vf", "setparams=field_mode=tff", "-c:v", "libx264", "-pix_fmt", "yuv422p10le"),
        *("-color_trc", "arib-std-b67", "-flags", "+ilme+ildct", "-x264-params", "tff=1"),
    )
    video = probe(hlg)["video"][0]
    assert (video["hdr"], video["chroma_format"]) == ("hlg", "4:2:2")
    assert (video["field_order"], video["interlaced"]) == ("top_first", True)


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [
        *(("m4a", "aac"), ("mka", "flac"), ("webm", "libopus"), ("ogg", "libvorbis")),
        *(("ts", "mp2"), ("mp3", "mp3"), ("wav", "pcm_s16le"), ("flac", "flac")),
    ],
)
def test_sound_is_enough_only_when_that_is_said(suffix: str, codec: str) -> None:
    tone = "sine=frequency=440:sample_rate=48000:duration=2"
    source = media.ffmpeg(f"probe-sound.{suffix}", "-f", "lavfi", "-i", tone, "-c:a", codec)
    found = probe(source, "--allow-no-video")
    assert (found["video"], len(found["audio"])) == ([], 1)
    assert found["format"]["duration_s"] == pytest.approx(2, abs=0.1)
    refused = subprocess.run([ENGINE, "probe", source], check=False, capture_output=True, text=True)
    error = json.loads(refused.stdout.splitlines()[-1])
    assert (refused.returncode, error["code"]) == (4, "NO_VIDEO_STREAM")


def test_video_is_described_as_ever_when_it_need_not_be_there() -> None:
    assert probe(media.BUNNY, "--allow-no-video") == probe(media.BUNNY)


@pytest.mark.parametrize(("pictures", "reordered"), [("0", False), ("2", True)])
def test_order_of_pictures_is_told_when_some_are_shown_earlier(
    pictures: str, reordered: bool
) -> None:
    for suffix in ("avi", "mp4"):
        codec = ("-c:v", "libx264", "-preset", "ultrafast", "-bf", pictures)
        source = media.clip(f"probe-order-{pictures}.{suffix}", 1, "320x240", *codec, "-an")
        assert probe(source)["video"][0]["reordered"] is reordered


@pytest.mark.parametrize("content", [b"ID3", b"RIFF\x24\0\0\0WAVEfmt ", b"fLaC"])
def test_no_sound_is_seen_when_a_file_only_begins_like_one(content: bytes, tmp_path: Path) -> None:
    source = tmp_path / "a.mp3"
    source.write_bytes(content + random.Random(1).randbytes(9000))
    command = [str(ENGINE), "probe", str(source), "--allow-no-video"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode in (3, 4)
    assert json.loads(done.stdout.splitlines()[-1])["type"] == "error"
