"""Playlists and manifest of a whole file: conformant, and the same as the publisher's."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from millrace import hls
from millrace.ladder import Rung
from millrace.levels import Codec
from tests.harness import media
from tests.harness.conformance import check_hls, from_folder
from tests.harness.dash import check_dash
from tests.harness.output import Output, transcode

pytestmark = pytest.mark.needs_engine

RUNGS = (Rung("360p", 360, 800_000, 23), Rung("180p", 180, 300_000, 23))
CODECS = (
    Rung("180p-av1", 180, 200_000, 35, Codec.AV1),
    Rung("180p-hevc", 180, 250_000, 26, Codec.HEVC),
    Rung("180p", 180, 300_000, 23, Codec.H264),
)


def two_languages() -> Path:
    """9 s at 29.97 frames a second, with two audio tracks of different sampling rates."""
    sound = "sine=frequency={}:sample_rate={}:duration=9"
    return media.ffmpeg(
        "two-languages.mp4",
        *("-f", "lavfi", "-i", "testsrc2=size=640x360:rate=30000/1001:duration=9"),
        *("-f", "lavfi", "-i", sound.format(440, 48000)),
        *("-f", "lavfi", "-i", sound.format(880, 44100)),
        *("-map", "0", "-map", "1", "-map", "2", "-c:v", "libx264", "-preset", "ultrafast"),
        *("-pix_fmt", "yuv420p", "-c:a", "aac", "-metadata:s:a:0", "language=eng"),
        *("-metadata:s:a:1", "language=deu"),
    )


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Output:
    return transcode(two_languages(), tmp_path_factory.mktemp("two-languages"), RUNGS)


def check_published(output: Output) -> None:
    published = output.published().files
    written = {
        str(path.relative_to(output.folder)): path.read_text()
        for path in output.folder.rglob("*")
        if path.suffix in (".m3u8", ".mpd")
    }
    assert sorted(written) == sorted(published)
    assert sorted(written) == sorted(hls.paths(output.plan))
    for name, text in published.items():
        assert written[name] == text, name


def test_engine_and_publisher_write_the_same_when_the_segments_are_the_same(
    output: Output,
) -> None:
    check_published(output)


def test_everything_conforms_when_a_ladder_has_several_codecs(tmp_path: Path) -> None:
    made = transcode(media.clip("codecs.mp4", 5, "320x180"), tmp_path, CODECS)
    check_published(made)
    presentation = check_hls(from_folder(made.folder), tmp_path)
    check_dash(from_folder(made.folder), presentation)
    assert [track.init.codecs.partition(".")[0] for track in presentation.video.values()] == [
        "avc1",
        "av01",
        "hvc1",
    ]
    assert [len(track.fragments) for track in presentation.video.values()] == [2, 2, 2]


def test_everything_conforms_when_a_whole_file_is_made(output: Output, tmp_path: Path) -> None:
    read = from_folder(output.folder)
    presentation = check_hls(read, tmp_path)
    check_dash(read, presentation)
    assert len(presentation.video) == len(presentation.audio) == 2
    assert [len(track.fragments) for track in presentation.video.values()] == [3, 3]


def test_ffmpeg_agrees_when_it_reads_the_manifest(output: Output) -> None:
    manifest = output.folder / "manifest.mpd"
    streams = media.ffprobe(manifest, "-show_streams", "-count_packets")["streams"]
    packets = {
        (stream["codec_type"], stream.get("height")): int(stream["nb_read_packets"])
        for stream in streams
        if stream["codec_type"] == "video"
    }
    assert packets == {("video", 360): 270, ("video", 180): 270}
    rates = [stream["sample_rate"] for stream in streams if stream["codec_type"] == "audio"]
    assert sorted(rates) == ["44100", "48000"]
    assert media.decode_errors(str(manifest)) == ""


def test_one_frame_conforms_when_it_is_a_whole_video(tmp_path: Path) -> None:
    made = transcode(media.one_frame(), tmp_path, RUNGS)
    check_dash(from_folder(made.folder), check_hls(from_folder(made.folder), tmp_path))


@pytest.mark.parametrize(
    ("file", "before", "after", "breach"),
    [
        ("360p/index.m3u8", "VERSION:7", "VERSION:5", "6 is needed"),
        ("360p/index.m3u8", "TARGETDURATION:4", "TARGETDURATION:3", "4.3.3.1"),
        ("360p/index.m3u8", "#EXT-X-ENDLIST", "", "without EXT-X-ENDLIST"),
        ("360p/index.m3u8", 'URI="init.mp4"', 'URI="other.mp4"', "360p"),
        ("180p/index.m3u8", "EXTINF:4.004000", "EXTINF:4.003000", "lasts"),
        ("180p/index.m3u8", "00001.m4s", "00007.m4s", "00007.m4s"),
        ("180p/index.m3u8", "00000.m4s", "00001.m4s", "180p"),
        ("audio-1/index.m3u8", "TARGETDURATION:4", "TARGETDURATION:5", "target durations"),
        ("180p/iframes.m3u8", "#EXT-X-I-FRAMES-ONLY\n", "", "iframes"),
        ("180p/iframes.m3u8", "@0", "0@0", "up to"),
        ("master.m3u8", "AVERAGE-BANDWIDTH=", "AVERAGE-BANDWIDTH=1", "index.m3u8: .*, not"),
        ("master.m3u8", r"STREAM-INF:BANDWIDTH=\d", "STREAM-INF:BANDWIDTH=", "BANDWIDTH below"),
        (
            "master.m3u8",
            r"FRAME-STREAM-INF:BANDWIDTH=\d",
            "FRAME-STREAM-INF:BANDWIDTH=",
            "iframes.m3u8: BANDWIDTH below",
        ),
        ("master.m3u8", "mp4a.40.2", "mp4a.40.5", "mp4a.40.5"),
        ("master.m3u8", r"avc1.6400\w\w", "avc1.640033", "avc1.640033"),
        ("master.m3u8", "640x360", "642x360", "360p"),
        ("master.m3u8", "29.970", "30.000", "360p"),
        ("master.m3u8", 'NAME="eng"', 'NAME="deu"', "is in group audio 2 times"),
        ("manifest.mpd", 'd="120120"', 'd="120121"', "m4s"),
        ("manifest.mpd", 'r="1"', 'r="2"', "segments"),
        ("manifest.mpd", 'startNumber="0"', 'startNumber="1"', "m4s"),
        ("manifest.mpd", r'bandwidth="\d', 'bandwidth="', "bandwidth below"),
        ("manifest.mpd", "30000/1001", "30", "360p"),
        ("manifest.mpd", '2011" value="1"', '2011" value="6"', "audio"),
    ],
)
def test_the_validator_objects_when_an_output_was_spoilt(
    output: Output, tmp_path: Path, file: str, before: str, after: str, breach: str
) -> None:
    spoilt = tmp_path / "spoilt"
    shutil.copytree(output.folder, spoilt)
    text = (spoilt / file).read_text()
    changed = re.sub(before, after, text)
    assert changed != text
    (spoilt / file).write_text(changed)
    read = from_folder(spoilt)
    with pytest.raises((AssertionError, OSError, ValueError), match=breach):
        check_dash(read, check_hls(read, tmp_path))
