"""`millrace verify` on real files and a package, whole and broken in each way it looks for."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.__main__ import main
from cli.media import hls_rules
from cli.media.exits import Exit
from tests.harness import media
from tests.media.matrix import CLIPS

pytestmark = pytest.mark.needs_engine


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(it) for it in arguments], prog_name="millrace")


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("package") / "film"
    options = ["--hls", "--speed", "ultrafast", "--segment", "1", "--no-pictures"]
    source = media.clip("verify.mp4", 3, "320x180")
    assert run("ladder", source, folder, *options).exit_code == Exit.DONE
    return folder


def test_package_is_good_when_just_made(package: Path) -> None:
    result = run("verify", package, "--json")
    told = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == Exit.DONE, told
    assert told[-1] == {"type": "result", "file": str(package), "ok": True, "problems": []}


Change = Callable[[str], str]
SUBTITLES = '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="x",NAME="x"\n'


@pytest.mark.parametrize(
    ("name", "change", "rule"),
    [
        ("master.m3u8", lambda text: text.replace("#EXTM3U\n", ""), "§ 4.3.1.1"),
        ("master.m3u8", lambda text: re.sub(r":BANDWIDTH=\d+", ":BANDWIDTH=9", text), "§ 4.3.4.2"),
        ("master.m3u8", lambda text: re.sub(r"BANDWIDTH=\d", "BANDWIDTH=9999", text), "Apple"),
        ("master.m3u8", lambda text: re.sub(r'CODECS="[^"]*",', "", text), "CODECS is missing"),
        ("master.m3u8", lambda text: text.replace('ID="audio"', 'ID="other"'), "no group audio"),
        ("master.m3u8", lambda text: text.replace("NAME=", "NOME="), "without NAME"),
        ("master.m3u8", lambda text: re.sub("#EXT-X-I-FR.*\n", "", text), "no I-frame playlists"),
        ("master.m3u8", lambda text: text.replace("NT-SEGMENTS", "NT-THINGS"), "INDEPENDENT-SEG"),
        ("master.m3u8", lambda text: text.replace("RESOLUTION=", "RESOLUTION"), "§ 4.2"),
        ("180p/index.m3u8", lambda text: text.replace("DURATION:1", "DURATION:0"), "§ 4.3.3.1"),
        ("180p/index.m3u8", lambda text: text.replace("VERSION:7", "VERSION:3"), "§ 7"),
        ("180p/index.m3u8", lambda text: text.replace("#EXT-X-ENDLIST\n", ""), "without EXT-X-END"),
        (
            "180p/index.m3u8",
            lambda text: text.replace("init.mp4", "gone.mp4"),
            "gone.mp4 is missing",
        ),
        ("180p/index.m3u8", lambda text: text.replace("00001.m4s", "../../x.m4s"), "is missing"),
        ("180p/index.m3u8", lambda text: text.replace("00001.m4s", "http://x/y"), "is missing"),
        ("180p/iframes.m3u8", lambda text: re.sub("GE:.*@0", "GE:9999999@0", text), "§ 4.3.2.2"),
        ("master.m3u8", lambda text: text + SUBTITLES, "§ 4.3.4.2.1: subtitles (x) without URI"),
        ("master.m3u8", lambda text: text + "#EXT-X-VERSION:7\n", "§ 4.3: EXT-X-VERSION 2 times"),
        ("master.m3u8", lambda text: text + "#EXT-X-TARGETDURATION:1\n", "of both kinds"),
        ("180p/index.m3u8", lambda text: text + SUBTITLES, "of both kinds"),
        ("180p/index.m3u8", lambda text: text.replace("N:7", "N:2"), "3 is needed: decimal EXTINF"),
        ("master.m3u8", lambda text: text.replace('CHANNELS="1",', ""), "without CHANNELS"),
        ("master.m3u8", lambda text: text.replace('"1"', '"mono"'), '§ 4.2: CHANNELS="mono"'),
        (
            "master.m3u8",
            lambda text: text.replace('NAME="', 'LANGUAGE="English",NAME="'),
            '§ 4.2: LANGUAGE="English"',
        ),
        ("master.m3u8", lambda text: text.replace("GE=SDR", "GE=HDR"), "§ 4.2: VIDEO-RANGE=HDR"),
        (
            "master.m3u8",
            lambda text: re.sub(r"(FRAME-STREAM-INF:BANDWIDTH)=\d+", r"\1=9", text),
            "§ 4.3.4.2: 180p/iframes.m3u8: BANDWIDTH is 9",
        ),
        (
            "master.m3u8",
            lambda text: re.sub(r"(FRAME-STREAM-INF:BANDWIDTH=)", r"\g<1>9", text),
            "Apple's authoring specification: 180p/iframes.m3u8: BANDWIDTH is 9",
        ),
    ],
)
def test_rule_is_named_when_it_is_broken(
    package: Path, tmp_path: Path, name: str, change: Change, rule: str
) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(package, broken)
    text = (broken / name).read_text()
    (broken / name).write_text(change(text))
    assert change(text) != text
    breaches, _ = hls_rules.check(broken / "master.m3u8")
    assert [str(breach) for breach in breaches if rule in str(breach)]


@pytest.mark.parametrize(
    ("name", "change", "breach"),
    [
        (
            "master.m3u8",
            lambda text: text.replace("320x180", "640x360"),
            "§ 4.3.4.2: 180p/index.m3u8: RESOLUTION 640x360, but it is 320x180",
        ),
        (
            "master.m3u8",
            lambda text: text.replace("=25.000", "=30.000"),
            "§ 4.3.4.2: 180p/index.m3u8: FRAME-RATE 30, but it is 25.000",
        ),
        (
            "master.m3u8",
            lambda text: text.replace('"avc1.42', '"avc1.64'),
            "§ 4.3.4.2: 180p/index.m3u8: CODECS .* without avc1.42",
        ),
        (
            "master.m3u8",
            lambda text: text.replace(",mp4a.40.2", ",mp4a.40.2,ec-3"),
            "§ 4.3.4.2: 180p/index.m3u8: CODECS .*, but nothing is ec-3",
        ),
        (
            "master.m3u8",
            lambda text: text.replace("VIDEO-RANGE=SDR", "VIDEO-RANGE=PQ"),
            "Apple's .*: 180p/index.m3u8: VIDEO-RANGE PQ, but it is SDR",
        ),
        (
            "master.m3u8",
            lambda text: text.replace('CHANNELS="1"', 'CHANNELS="6"'),
            "§ 4.3.4.1: audio-0/index.m3u8: CHANNELS 6, but it has 1",
        ),
        (
            "master.m3u8",
            lambda text: text.replace(',URI="audio-0/index.m3u8"', ""),
            "§ 4.3.4.2.1: 180p/index.m3u8: sound without URI, and none in it",
        ),
        (
            "180p/index.m3u8",
            lambda text: text.replace("EXTINF:1.0", "EXTINF:1.1", 1),
            "§ 4.3.2.1: EXTINF 1.1, but segment 0 lasts 1.000 s",
        ),
        (
            "audio-0/index.m3u8",
            lambda text: re.sub("EXTINF:[^,]*", "EXTINF:0.5", text, count=1),
            r"§ 4.3.2.1: EXTINF 0.5, but segment 0 lasts \d",
        ),
    ],
)
def test_promise_is_compared_with_what_decodes_when_it_is_another(
    package: Path, tmp_path: Path, name: str, change: Change, breach: str
) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(package, broken)
    text = (broken / name).read_text()
    (broken / name).write_text(change(text))
    result = run("verify", broken)
    assert result.exit_code == Exit.FOUND
    assert re.search(f"! {name}: {breach}", result.stderr), result.stderr


def test_range_is_wanted_when_the_pictures_are_hdr(tmp_path: Path) -> None:
    """A package by ffmpeg, which does not tell the range."""
    source, master = str(CLIPS["hdr10.mp4"].path), tmp_path / "master.m3u8"
    command = ["ffmpeg", "-v", "error", "-i", source, "-c", "copy", "-tag:v", "hvc1", "-f", "hls"]
    kind = ["-hls_playlist_type", "vod", "-hls_segment_type", "fmp4"]
    named = ["-master_pl_name", master.name, str(tmp_path / "film.m3u8")]
    subprocess.run([*command, *kind, *named], check=True)
    breach = "film.m3u8: VIDEO-RANGE none, which means SDR, but it is PQ"
    result = run("verify", tmp_path)
    assert result.exit_code == Exit.FOUND
    assert breach in result.stderr
    text = master.read_text()
    master.write_text(text.replace("STREAM-INF:", "STREAM-INF:VIDEO-RANGE=PQ,"))
    assert "VIDEO-RANGE" not in run("verify", tmp_path).stderr


@pytest.fixture(scope="module")
def transport(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("transport") / "film"
    options = ["--hls", "--speed", "ultrafast", "--segment", "1", "--no-pictures", "--mpegts"]
    source = media.clip("verify.mp4", 3, "320x180")
    assert run("ladder", source, folder, *options).exit_code == Exit.DONE
    return folder


def test_transport_streams_are_good_when_just_made(transport: Path) -> None:
    assert {path.suffix for path in (transport / "180p").iterdir()} == {".ts", ".m3u8"}
    result = run("verify", transport)
    assert result.exit_code == Exit.DONE, result.stderr


@pytest.mark.parametrize(
    ("name", "change", "breach"),
    [
        (
            "180p/index.m3u8",
            lambda text: text.replace("EXTINF:1.0", "EXTINF:1.1", 1),
            "EXTINF 1.1, but segment 0 lasts 1.000 s",
        ),
        ("180p/index.m3u8", lambda text: text.replace("N:3", "N:2"), "§ 7: version 2"),
        (
            "master.m3u8",
            lambda text: text.replace('"avc1.42c01e', '"hvc1.1.6.L60.B0'),
            "hvc1.1.6.L60.B0 in other than fragmented MP4",
        ),
        (
            "master.m3u8",
            lambda text: text.replace("mp4a.40.2", "mp4a.40.2,vp09.00.10.08"),
            "§ 4.3.4.2: 180p/index.m3u8: CODECS .*, but nothing is vp09.00.10.08",
        ),
    ],
)
def test_rule_is_named_when_transport_streams_break_it(
    transport: Path, tmp_path: Path, name: str, change: Change, breach: str
) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(transport, broken)
    text = (broken / name).read_text()
    assert change(text) != text
    (broken / name).write_text(change(text))
    result = run("verify", broken)
    assert result.exit_code == Exit.FOUND
    assert re.search(breach, result.stderr), result.stderr


def test_all_that_is_wrong_is_told_when_segments_are(package: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(package, broken)
    (broken / "audio-0" / "00001.m4s").unlink()
    segment = broken / "180p" / "00001.m4s"
    content = bytearray(segment.read_bytes())
    content[len(content) // 3 :] = bytes(len(content) - len(content) // 3)
    segment.write_bytes(content)
    result = run("verify", broken)
    assert result.exit_code == Exit.FOUND
    assert "audio-0/index.m3u8: § 6.2.1: 00001.m4s is missing" in result.stderr
    assert re.search(r"180p/index\.m3u8: .*(damaged|decode)", result.stderr)
    assert run("verify", broken, "--rules").exit_code == Exit.FOUND


def packaged(folder: Path, *options: str) -> Path:
    """A package of one rendition, by ffmpeg."""
    folder.mkdir()
    source = str(media.clip("verify.mp4", 3, "320x180"))
    command = ["ffmpeg", "-v", "error", "-i", source, "-c", "copy", "-f", "hls", "-hls_time", "1"]
    kind = ["-hls_playlist_type", "vod", "-hls_segment_type", "fmp4", *options]
    subprocess.run([*command, *kind, str(folder / "index.m3u8")], check=True)
    return folder


@pytest.mark.parametrize(
    ("options", "word"),
    [(("-hls_flags", "single_file"), "(Pictures|decode)"), (("-vn",), "Sound is damaged")],
    ids=["byte ranges", "sound alone"],
)
def test_rendition_is_decoded_when_it_is_of(
    options: Sequence[str], word: str, tmp_path: Path
) -> None:
    folder = packaged(tmp_path / "film", *options)
    assert run("verify", folder).exit_code == Exit.DONE
    part = max(folder.glob("*.m4s"), key=lambda path: path.stat().st_size)
    content = bytearray(part.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 3000] = random.Random(1).randbytes(3000)
    part.write_bytes(content)
    result = run("verify", folder)
    assert result.exit_code == Exit.FOUND
    assert re.search(rf"index\.m3u8.*: .*{word}", result.stderr)


@pytest.mark.parametrize("range_", ["x@0", "12", "9999999@0"])
def test_range_is_told_when_it_is_none(range_: str, tmp_path: Path) -> None:
    folder = packaged(tmp_path / "film", "-hls_flags", "single_file")
    playlist = folder / "index.m3u8"
    text = re.sub(r"BYTERANGE:.*", f"BYTERANGE:{range_}", playlist.read_text(), count=1)
    playlist.write_text(text)
    breaches, _ = hls_rules.check(playlist)
    assert [breach for breach in breaches if breach.rule == "§ 4.3.2.2"]


def test_file_is_good_when_it_decodes_and_bad_when_cut_short(tmp_path: Path) -> None:
    assert run("verify", media.clip("verify.mp4", 3, "320x180")).exit_code == Exit.DONE
    cut = media.truncated(media.clip("verify.mkv", 3, "320x180"), 0.6)
    result = run("verify", cut, tmp_path)
    assert result.exit_code == Exit.CORRUPT
    assert re.search(rf"{cut.name}, at 0:0[12]\.\d: ", result.stderr)
    assert "no master.m3u8" in result.stderr
