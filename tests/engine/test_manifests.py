"""Playlists and manifest of a whole file: conformant, and the same as the publisher's."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from millrace import hls, plan
from millrace.ladder import Rung
from millrace.media import parse
from millrace.outputs import Collector
from millrace.plan import Plan
from tests.harness import media
from tests.harness.conformance import check_hls, from_folder
from tests.harness.dash import check_dash
from tests.harness.hls import attributes

pytestmark = pytest.mark.needs_engine

ENGINE = media.REPOSITORY / "build" / "engine" / "release" / "millrace-engine"
RUNGS = (Rung("360p", 360, 800_000, 23), Rung("180p", 180, 300_000, 23))


@dataclass(frozen=True)
class Output:
    folder: Path
    plan: Plan
    collector: Collector

    def published(self) -> hls.Playlists:
        """What the publisher makes of the same segments."""
        names = [rendition.name for rendition in self.plan.video.renditions]
        audio = {
            index: self.collector.tracks([track.name], 0, None)
            for index, track in enumerate(self.plan.audio)
        }
        texts = {
            index: self.collector.tracks([track.name], 0, None)
            for index, track in enumerate(self.plan.subtitles)
        }
        chunks = {0: self.collector.tracks(names, 0, None)}
        made = hls.render(self.plan, chunks, audio, texts, final=True)
        assert made is not None
        return made


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


CARD = """1
00:00:01,000 --> 00:00:02,500
<b>Both</b> & <i>one</i>

2
00:00:03,500 --> 00:00:08,250
Over & over the borders
of the grid
"""


def everything() -> Path:
    """9 s with a 5.1 and a stereo sound, three texts and a picture track."""
    texts = media.written("card.srt", CARD.encode())
    sound = "sine=frequency=440:sample_rate=48000:duration=9"
    surround = "|".join(f"0.2*sin({tone}*2*PI*t)" for tone in (300, 400, 500, 60, 700, 800))
    return media.ffmpeg(
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


def engine(*arguments: str | Path) -> list[dict[str, object]]:
    """The JSON lines of a successful run."""
    command = [str(argument) for argument in (ENGINE, *arguments)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def transcode(source: Path, folder: Path, **options: Any) -> Output:
    facts = parse(engine("probe", source)[-1])
    the_plan = plan.make(facts, chunk_segments=8, preset="veryfast", rungs=RUNGS, **options)
    plan_file = folder / "plan.json"
    plan_file.write_text(json.dumps(the_plan.to_json()))
    collector = Collector()
    for line in engine("transcode", source, "--plan", plan_file, "--output", folder / "made"):
        if line["type"] in ("init", "segment"):
            collector.add(line)
    return Output(folder / "made", the_plan, collector)


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Output:
    return transcode(two_languages(), tmp_path_factory.mktemp("two-languages"))


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Output:
    return transcode(everything(), tmp_path_factory.mktemp("everything"), keep_surround=True)


@pytest.mark.parametrize("name", ["output", "rich"])
def test_engine_and_publisher_write_the_same_when_the_segments_are_the_same(
    name: str, request: pytest.FixtureRequest
) -> None:
    output: Output = request.getfixturevalue(name)
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


def test_everything_conforms_when_a_whole_file_is_made(output: Output, tmp_path: Path) -> None:
    read = from_folder(output.folder)
    presentation = check_hls(read, tmp_path)
    check_dash(read, presentation)
    assert len(presentation.video) == len(presentation.audio) == 2
    assert [len(track.fragments) for track in presentation.video.values()] == [3, 3]


def test_subtitles_and_surround_conform_when_a_source_has_them(
    rich: Output, tmp_path: Path
) -> None:
    read = from_folder(rich.folder)
    presentation = check_hls(read, tmp_path)
    check_dash(read, presentation)
    assert list(presentation.audio) == [
        "audio-0/index.m3u8",
        "audio-1/index.m3u8",
        "surround-0/index.m3u8",
    ]
    texts = [
        [(float(cue.begin_s), float(cue.end_s), cue.text) for cue in track.cues]
        for track in presentation.subtitles.values()
    ]
    long = (3.5, 8.25, "Over &amp; over the borders\nof the grid")
    assert texts == [[(1.0, 2.5, "<b>Both</b> &amp; <i>one</i>"), long]] * 3


@pytest.mark.parametrize(
    ("file", "before", "after", "breach"),
    [
        ("subtitles-0/00001.vtt", "Over", "Under", "other cues"),
        ("subtitles-0/00001.vtt", "&amp;", "&", "&"),
        ("subtitles-0/00002.vtt", r"\n00:00:03.*\n.*\n.*\n", "", "other cues"),
        ("subtitles-1/00000.vtt", "MPEGTS:0", "MPEGTS:9000", "00000.vtt"),
        ("subtitles-1/00000.vtt", "</i>", "</b>", "Both"),
        ("subtitles-1/index.m3u8", "EXTINF:4.000000", "EXTINF:4.010000", "subtitles-1"),
        ("master.m3u8", ',SUBTITLES="subtitles"', "", "index.m3u8"),
        ("master.m3u8", 'CHANNELS="6"', 'CHANNELS="8"', "surround-0"),
        ("master.m3u8", 'surround",NAME="deu"', 'surround",NAME="fra"', "equal members"),
        ("manifest.mpd", "text/vtt", "application/ttml+xml", "ttml"),
        ("manifest.mpd", "subtitles-1/subtitles.vtt", "subtitles-1/other.vtt", "other.vtt"),
    ],
)
def test_the_validator_objects_when_a_rich_output_was_spoilt(
    rich: Output, tmp_path: Path, file: str, before: str, after: str, breach: str
) -> None:
    _expect_breach(rich, tmp_path, file, before, after, breach)


def test_subtitles_are_told_apart_when_a_language_comes_twice(rich: Output) -> None:
    lines = (rich.folder / "master.m3u8").read_text().splitlines()
    told = [attributes(line) for line in lines if "TYPE=SUBTITLES" in line]
    assert [(tags["NAME"], tags["DEFAULT"], tags["FORCED"]) for tags in told] == [
        ("eng (0)", "NO", "NO"),
        ("eng (1)", "YES", "NO"),
        ("subtitles-2 forced", "NO", "YES"),
    ]


def test_every_channel_is_kept_when_surround_is(rich: Output) -> None:
    master = rich.folder / "master.m3u8"
    assert 'GROUP-ID="surround",NAME="eng"' in master.read_text()
    playlist = str(rich.folder / "surround-0" / "index.m3u8")
    (stream,) = media.ffprobe(playlist, "-show_streams")["streams"]
    assert (stream["channels"], stream["channel_layout"]) == (6, "5.1")
    for channel, tone in enumerate((300, 400, 500, 60, 700, 800)):
        assert loudness_db(playlist, channel, tone) == pytest.approx(-17.0, abs=1.0), tone


def loudness_db(source: str, channel: int, tone: int) -> float:
    """Mean level of one channel around a tone."""
    band = f"pan=mono|c0=c{channel},bandpass=f={tone}:width_type=h:w=40,volumedetect"
    command = ["ffmpeg", "-nostdin", "-i", source, "-af", band, "-f", "null", "-"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    match = re.search(r"mean_volume: (-?[\d.]+) dB", done.stderr)
    assert match
    return float(match[1])


def test_ffmpeg_reads_the_same_cues_when_the_playlist_is_played(rich: Output) -> None:
    playlist = rich.folder / "subtitles-0" / "index.m3u8"
    packets = media.ffprobe(playlist, "-show_packets")["packets"]
    shown = {(packet["pts_time"], packet["duration_time"]) for packet in packets}
    assert shown == {("1.000000", "1.500000"), ("3.500000", "4.750000")}


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
    made = transcode(media.one_frame(), tmp_path)
    check_dash(from_folder(made.folder), check_hls(from_folder(made.folder), tmp_path))


@pytest.mark.parametrize(
    ("file", "before", "after", "breach"),
    [
        ("360p/index.m3u8", "VERSION:7", "VERSION:5", "version 6"),
        ("360p/index.m3u8", "TARGETDURATION:4", "TARGETDURATION:3", "4.3.3.1"),
        ("360p/index.m3u8", "#EXT-X-ENDLIST", "", "no end"),
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
        ("master.m3u8", 'NAME="eng"', 'NAME="deu"', "unique"),
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
    _expect_breach(output, tmp_path, file, before, after, breach)


def _expect_breach(
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
