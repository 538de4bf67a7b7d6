"""The judges themselves: a sound package passes, and each rule objects where it is broken."""

from __future__ import annotations

import json
import re
import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from millrace.ladder import Rung
from tests.harness import media
from tests.harness.boxes import boxes, read_fragment, read_init
from tests.harness.conformance import check_hls, from_folder
from tests.harness.dash import check_dash
from tests.harness.ladder import plan_for, transcode

pytestmark = pytest.mark.needs_engine
Change = Callable[[bytes], bytes]

VIDEO, AUDIO, MASTER = "90p/index.m3u8", "audio-0/index.m3u8", "master.m3u8"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("package")
    source = media.clip("judged.mp4", 5, "320x180")
    transcode(source, folder, plan_for(source, (Rung("90p", 90, 300_000, 25),)))
    return folder


def replaced(before: str, after: str) -> Change:
    def change(content: bytes) -> bytes:
        return re.sub(before, after, content.decode(), count=1).encode()

    return change


def appended(text: str) -> Change:
    return lambda content: content + text.encode()


def begin(content: bytes, box: bytes) -> int:
    return next(at for kind, at, _ in boxes(content) if kind == box)


def poked(box: bytes, offset: int, layout: str, *values: int) -> Change:
    """Other values at an offset of a box's payload."""

    def change(content: bytes) -> bytes:
        spoilt = bytearray(content)
        struct.pack_into(layout, spoilt, begin(content, box) + offset, *values)
        return bytes(spoilt)

    return change


def first_unit(kind: int) -> Change:
    """The first sample's slices get another NAL unit type."""

    def change(content: bytes) -> bytes:
        spoilt, at = bytearray(content), begin(content, b"mdat")
        while at < len(spoilt):
            if spoilt[at + 4] & 31 == 5:
                spoilt[at + 4] = spoilt[at + 4] & 0xE0 | kind
                return bytes(spoilt)
            at += 4 + int(struct.unpack_from(">I", spoilt, at)[0])
        raise AssertionError("no IDR picture")

    return change


def swapped_offsets(content: bytes) -> bytes:
    """The first two pictures change places in time."""
    spoilt, at = bytearray(content), begin(content, b"trun") + 12
    first, second = at + 12, at + 28
    duration, *_ = struct.unpack_from(">I", content, at)
    one, two = (struct.unpack_from(">i", content, place)[0] for place in (first, second))
    struct.pack_into(">i", spoilt, first, two + duration)
    struct.pack_into(">i", spoilt, second, one - duration)
    return bytes(spoilt)


BREACHES: list[tuple[str, str, Change, str]] = [
    # The text of playlists.
    ("§ 4.1 mark", MASTER, lambda text: b"\xef\xbb\xbf" + text, "byte order mark"),
    ("§ 4.1 control", VIDEO, appended("#\x07\n"), "control"),
    ("§ 4.1 both kinds", VIDEO, appended("#EXT-X-STREAM-INF:BANDWIDTH=1\nx\n"), "both kinds"),
    ("§ 4.3.1.1", VIDEO, replaced("#EXTM3U\n", ""), "4.3.1.1"),
    ("§ 4.3 unknown", VIDEO, replaced("#EXT-X-ENDLIST", "#EXT-X-ENDLST"), "no tag of RFC"),
    ("§ 4.3 twice", VIDEO, replaced("(#EXT-X-TARGETD.*\n)", r"\1\1"), "TARGETDURATION 2 times"),
    ("§ 4.3.3.1 missing", VIDEO, replaced("#EXT-X-TARGETD.*\n", ""), "4.3.3.1"),
    ("§ 4.3.3 order", VIDEO, replaced("(#EXT-X-MEDIA-S.*\n)((.*\n)*)", r"\2\1"), "after a segment"),
    ("§ 4.3.2.1 alone", VIDEO, appended("#EXTINF:1.0,\n"), "without a segment"),
    ("§ 4.3.2.1 twice", VIDEO, replaced("(#EXTINF.*\n)", r"\1\1"), "two EXTINF"),
    ("§ 4.3.2.1 none", VIDEO, replaced("#EXTINF.*\n", ""), "has no EXTINF"),
    ("§ 4.3.2.1 form", VIDEO, replaced("#EXTINF:4", "#EXTINF:+4"), "4.3.2.1"),
    ("§ 7 map", VIDEO, replaced("VERSION:7", "VERSION:5"), "6 is needed"),
    ("§ 7 I-frames", "90p/iframes.m3u8", replaced("VERSION:7", "VERSION:4"), "5 is needed"),
    # Attribute lists and what the master playlist names.
    ("§ 4.2 list", MASTER, replaced("RESOLUTION=", "RESOLUTION= "), "attribute list"),
    ("§ 4.2 twice", MASTER, replaced("(NAME=[^,]+),", r"\1,\1,"), "an attribute twice"),
    ("§ 4.2 quotes", MASTER, replaced('CODECS="([^,"]*)[^"]*"', r"CODECS=\1"), "§ 4.2: CODECS"),
    ("§ 4.2 size", MASTER, replaced("160x90", "160X90"), "§ 4.2: RESOLUTION"),
    ("§ 4.2 rate", MASTER, replaced("25.000", "25"), "4.2, FRAME-RATE"),
    ("§ 4.3.4.1 name", MASTER, replaced("NAME=[^,]+,", ""), "4.3.4.1"),
    ("§ 4.3.4.1 auto", MASTER, replaced("AUTOSELECT=YES", "AUTOSELECT=NO"), "AUTOSELECT"),
    ("§ 4.3.4.2 URI", MASTER, replaced("\n90p/index.m3u8", "\n#"), "no URI follows"),
    ("§ 4.3.4.2 once", MASTER, replaced("(#EXT-X-STREAM.*\n.*\n)", r"\1\1"), "a variant twice"),
    ("§ 4.3.4.2 group", MASTER, replaced('GROUP-ID="', 'GROUP-ID="x'), "no group"),
    ("§ 4.3.4.2 codecs", MASTER, replaced(",mp4a.40.2", ""), "not {"),
    ("§ 4.3.4.2 rate", MASTER, replaced("25.000", "24.000"), "index.m3u8"),
    ("§ 4.3.4.3", MASTER, replaced("(I-FRAME-STREAM-INF:)", r"\1FRAME-RATE=1.000,"), "4.3.4.3"),
    (
        "§ 4.3.5.1",
        MASTER,
        replaced("#EXT-X-INDEPENDENT.*\n", ""),
        "SEGMENTS is missing",
    ),
    (
        "Apple: average",
        MASTER,
        replaced("AVERAGE-BANDWIDTH=[0-9]+,", ""),
        "AVERAGE-",
    ),
    ("Apple: I-frames", MASTER, replaced("#EXT-X-I-FRAME.*\n", ""), ""),
    ("average within 10 %", MASTER, replaced("AVERAGE-BANDWIDTH=", "AVERAGE-BANDWIDTH=1"), "not"),
    ("peak", MASTER, replaced(r"STREAM-INF:BANDWIDTH=\d", "STREAM-INF:BANDWIDTH="), "below"),
    ("EXTINF is real", VIDEO, replaced("EXTINF:4.0", "EXTINF:4.1"), "lasts"),
    ("I-frame ends", "90p/iframes.m3u8", replaced("@0", "0@0"), "up to"),
    # Init segments.
    ("§ 3.3 order", "90p/init.mp4", lambda init: init + init[:32], "an init segment of"),
    ("8.2.2", "90p/init.mp4", poked(b"mvhd", 12, ">I", 0), "mvhd's timescale"),
    ("8.4.2", "audio-0/init.mp4", poked(b"mvhd", 16, ">I", 5), "a duration where"),
    ("8.3.2", "90p/init.mp4", poked(b"tkhd", 40, ">i", -65536), "turned"),
    ("tracks", "90p/init.mp4", poked(b"trex", 4, ">I", 2), "trex 2"),
    ("8.6.6 begin", "90p/init.mp4", poked(b"elst", 12, ">i", -1), "index.m3u8"),
    ("8.6.6 rate", "90p/init.mp4", poked(b"elst", 16, ">I", 2), "elst's rate"),
    ("8.6.6 length", "90p/init.mp4", poked(b"elst", 8, ">I", 9), "edits of 9"),
    ("empty tables", "90p/init.mp4", poked(b"stts", 4, ">I", 1), "has samples"),
    ("avcC", "90p/init.mp4", poked(b"avcC", 3, ">B", 52), "avcC and its SPS"),
    ("size", "90p/init.mp4", poked(b"avc1", 24, ">H", 162), "SPS"),
    ("colour", "90p/init.mp4", poked(b"colr", 4, ">H", 9), "colr"),
    ("aspect", "90p/init.mp4", poked(b"pasp", 0, ">I", 2), "pasp"),
    ("ASC", "audio-0/init.mp4", poked(b"mp4a", 16, ">H", 2), "mp4a 2"),
    ("ASC rate", "audio-0/init.mp4", poked(b"mp4a", 24, ">I", 44_100 << 16), "AacConfig"),
    # Media segments.
    ("8.8.5", "90p/00001.m4s", poked(b"mfhd", 4, ">I", 9), "sequence number 9"),
    ("8.8.7", "90p/00001.m4s", poked(b"tfhd", 0, ">I", 0), "not from moof"),
    ("8.8.7 track", "90p/00001.m4s", poked(b"tfhd", 4, ">I", 2), "track 2"),
    ("8.8.12 gap", "90p/00001.m4s", poked(b"tfdt", 4, ">Q", 10**6), "segment 1"),
    ("8.8.12 sound", "audio-0/00001.m4s", poked(b"tfdt", 4, ">Q", 0), "segment 1"),
    ("sizes", "90p/00000.m4s", poked(b"trun", 16, ">I", 10), "segment 0"),
    ("durations", "90p/00000.m4s", poked(b"trun", 12, ">I", 1), "lasts"),
    ("key frame flag", "90p/00000.m4s", poked(b"trun", 20, ">I", 0x10000), "no key frame"),
    ("IDR first", "90p/00001.m4s", first_unit(1), "no IDR"),
    ("closed", "90p/00001.m4s", swapped_offsets, "before its IDR"),
    ("order of boxes", "90p/00001.m4s", lambda content: content[28:], "segment 1"),
    ("other segment", "90p/00001.m4s", appended("\0\0\0\x08free"), "segment 1"),
    # The manifest.
    ("23009-1 type", "manifest.mpd", replaced('type="static"', 'type="dynamic"'), ""),
    ("23009-1 length", "manifest.mpd", replaced('Duration="PT5', 'Duration="PT6'), ""),
    ("23009-1 SAP", "manifest.mpd", replaced('startWithSAP="1"', 'startWithSAP="2"'), ""),
]


def judge(folder: Path, scratch: Path) -> None:
    check_dash(from_folder(folder), check_hls(from_folder(folder), scratch))


def test_a_sound_package_passes_when_it_is_judged(package: Path, tmp_path: Path) -> None:
    judge(package, tmp_path)


@pytest.mark.parametrize(
    ("file", "change", "breach"),
    [pytest.param(*breach[1:], id=breach[0]) for breach in BREACHES],
)
def test_a_rule_objects_when_a_package_breaks_it(
    package: Path, tmp_path: Path, file: str, change: Change, breach: str
) -> None:
    spoilt = tmp_path / "spoilt"
    shutil.copytree(package, spoilt)
    content = (package / file).read_bytes()
    changed = change(content)
    assert changed != content
    (spoilt / file).write_bytes(changed)
    with pytest.raises(AssertionError, match=re.escape(breach)):
        judge(spoilt, tmp_path)


def test_ffmpeg_has_no_complaint_when_it_decodes_every_rendition(package: Path) -> None:
    for playlist in (MASTER, VIDEO, AUDIO, "manifest.mpd"):
        assert media.decode_errors(str(package / playlist)) == "", playlist


@pytest.mark.parametrize("name", ["90p", "audio-0"])
def test_another_parser_reads_the_same_when_it_reads_a_rendition(package: Path, name: str) -> None:
    """mp4box.js against our own reader, sample by sample."""
    files = [package / name / "init.mp4", *sorted((package / name).glob("*.m4s"))]
    script = media.REPOSITORY / "tests" / "harness" / "mp4_facts.mjs"
    node = ["node", str(script), *map(str, files)]
    found = json.loads(subprocess.run(node, check=True, capture_output=True, text=True).stdout)
    init = read_init(files[0].read_bytes())
    assert found["complaints"] == []
    assert found["fragmented"]
    assert found["tracks"] == 1
    assert {"iso6", "cmfc"} <= set(found["brands"])
    assert (found["codec"], found["timescale"]) == (init.codecs, init.timescale)
    assert (found["width"], found["height"]) == (init.width, init.height)
    assert (found["sampleRate"], found["channels"]) == (init.sample_rate_hz, init.channels)
    expected = []
    for file in files[1:]:
        fragment = read_fragment(file.read_bytes())
        at = fragment.decode_time
        for n, duration in enumerate(fragment.durations):
            offset, size, sync = fragment.offsets[n], fragment.sizes[n], fragment.sync[n]
            values = (at, at + offset, duration, size, sync)
            expected.append(
                dict(zip(("dts", "cts", "duration", "size", "sync"), values, strict=True))
            )
            at += duration
    assert found["samples"] == expected
