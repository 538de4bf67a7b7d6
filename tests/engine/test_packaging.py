"""Subtitles, surround sound and MPEG-TS: conformant, and the same as the publisher's."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from array import array
from dataclasses import replace
from pathlib import Path

import pytest

from millrace import hls
from millrace.ladder import Rung
from millrace.plan import Container
from tests.harness import media
from tests.harness.conformance import check_hls, from_folder
from tests.harness.dash import check_dash
from tests.harness.hls import attributes
from tests.harness.output import Output, engine, transcode

pytestmark = pytest.mark.needs_engine

RUNGS = (Rung("360p", 360, 800_000, 23), Rung("180p", 180, 300_000, 23))


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Output:
    folder = tmp_path_factory.mktemp("everything")
    return transcode(media.everything(), folder, RUNGS, keep_surround=True)


@pytest.fixture(scope="module")
def transport(tmp_path_factory: pytest.TempPathFactory) -> Output:
    folder = tmp_path_factory.mktemp("transport")
    options = {"keep_surround": True, "container": Container.MPEG_TS}
    return transcode(media.everything(), folder, RUNGS, **options)


@pytest.mark.parametrize("name", ["rich", "transport"])
def test_engine_and_publisher_write_the_same_when_the_segments_are_the_same(
    name: str, request: pytest.FixtureRequest
) -> None:
    output: Output = request.getfixturevalue(name)
    written = {
        str(path.relative_to(output.folder)): path.read_text()
        for path in output.folder.rglob("*")
        if path.suffix in (".m3u8", ".mpd")
    }
    assert sorted(written) == sorted(hls.paths(output.plan))
    assert written == dict(output.published().files)


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
    spoilt = tmp_path / "spoilt"
    shutil.copytree(rich.folder, spoilt)
    text = (spoilt / file).read_text()
    changed = re.sub(before, after, text)
    assert changed != text
    (spoilt / file).write_text(changed)
    read = from_folder(spoilt)
    with pytest.raises((AssertionError, OSError, ValueError), match=breach):
        check_dash(read, check_hls(read, tmp_path))


def test_transport_streams_conform_when_the_plan_asks_for_them(
    transport: Output, tmp_path: Path
) -> None:
    presentation = check_hls(from_folder(transport.folder), tmp_path)
    assert [len(track.fragments) for track in presentation.video.values()] == [3, 3]
    assert len(presentation.audio) == len(presentation.subtitles) == 3
    assert not (transport.folder / "manifest.mpd").exists()


def test_transport_streams_decode_to_the_same_when_compared_to_fragmented_mp4(
    rich: Output, transport: Output
) -> None:
    for name in ("360p", "180p", "audio-0", "audio-1", "surround-0"):
        playlists = [str(made.folder / name / "index.m3u8") for made in (rich, transport)]
        assert media.decode_errors(playlists[1]) == ""
        first, second = (decoded_hashes(playlist) for playlist in playlists)
        assert len(first) > 200
        assert first == second, name


def decoded_hashes(source: str) -> list[str]:
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", source, "-f", "framemd5", "-"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return [line.rpartition(",")[2] for line in done.stdout.splitlines() if line[0] != "#"]


def test_transport_streams_join_when_chunks_are_made_alone(
    transport: Output, tmp_path: Path
) -> None:
    video = replace(transport.plan.video, renditions=transport.plan.video.renditions[1:])
    silent = replace(transport.plan, video=video, audio=(), subtitles=())
    alone = replace(silent, chunk_segments=1, head_segments=1, chunk_count=3)
    plan_file = tmp_path / "plan.json"
    plan_file.write_text(json.dumps(alone.to_json()))
    engine("transcode", media.everything(), "--plan", plan_file, "--output", tmp_path / "whole")
    for chunk in range(3):
        made = tmp_path / f"chunk-{chunk}"
        options = ("--plan", plan_file, "--output", made, "--chunk", str(chunk))
        engine("transcode", media.everything(), *options)
        segment = Path("180p") / f"{chunk:05d}.ts"
        assert (made / segment).read_bytes() == (tmp_path / "whole" / segment).read_bytes()


@pytest.mark.parametrize(
    ("packet", "byte", "breach"),
    [(0, 0, "breaks"), (0, 2, "PAT"), (5, 3, "continuity counter"), (-1, 3, "continuity counter")],
)
def test_the_validator_objects_when_a_transport_packet_was_spoilt(
    transport: Output, tmp_path: Path, packet: int, byte: int, breach: str
) -> None:
    spoilt = tmp_path / "spoilt"
    shutil.copytree(transport.folder, spoilt)
    path = spoilt / "180p" / "00001.ts"
    content = bytearray(path.read_bytes())
    content[packet % (len(content) // 188) * 188 + byte] ^= 1
    path.write_bytes(content)
    with pytest.raises(AssertionError, match=breach):
        check_hls(from_folder(spoilt), tmp_path)


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


def test_every_channel_has_its_share_when_surround_is_mixed_down(rich: Output) -> None:
    """ITU-R BS.775: the front as it is, centre and surround 3 dB lower, no LFE."""
    playlist = str(rich.folder / "audio-0" / "index.m3u8")
    heard = [
        [loudness_db(playlist, side, tone) for tone in (300, 400, 500, 60, 700, 800)]
        for side in (0, 1)
    ]
    front, shared, nothing = -17.0, -20.0, -35.0
    expected = [
        [front, nothing, shared, nothing, shared, nothing],
        [nothing, front, shared, nothing, nothing, shared],
    ]
    for levels, wanted in zip(heard, expected, strict=True):
        for level, least in zip(levels, wanted, strict=True):
            if least == nothing:
                assert level < nothing
            else:
                assert level == pytest.approx(least, abs=1)


def test_nothing_is_clipped_when_full_channels_are_mixed_down(tmp_path: Path) -> None:
    made = transcode(media.loud_surround(), tmp_path, RUNGS)
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(made.folder / "audio-0/index.m3u8")]
    done = subprocess.run([*command, "-f", "f32le", "-"], check=True, capture_output=True)
    samples = array("f", done.stdout)
    assert 0.9 < max(abs(sample) for sample in samples) < 1.0


def loudness_db(source: str, channel: int, tone: int) -> float:
    """Mean level of one channel around a tone."""
    narrow = f"bandpass=f={tone}:width_type=h:w=40"
    band = f"pan=mono|c0=c{channel},{narrow},{narrow},volumedetect"
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
