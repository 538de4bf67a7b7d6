"""What is done with a file: copied or encoded, in which size, at which rate."""

from __future__ import annotations

import json
import shlex
import subprocess
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cli.__main__ import main
from cli.media import fit, vmaf, wishes
from cli.media.decide import Decision, decide
from cli.media.failures import Failure
from cli.media.job import Audio, Crop
from cli.media.presets import HIGHEST_CRF, SETTINGS, Quality
from cli.media.wishes import Scale, Tracks, Wishes
from tests.harness import media

FILM = Path("film.mkv")


def video(**changes: Any) -> dict[str, Any]:
    stream = {
        **{"stream": 0, "codec": "h264", "width": 1920, "height": 1080, "rotation": 0},
        **{"display_width": 1920, "display_height": 1080, "hdr": None, "bit_depth": 8},
        **{"attached_picture": False, "reordered": True, "bitrate_bps": 4_000_000},
        "hides_first_pictures": False,
    }
    return {**stream, **changes}


def sound(number: int, codec: str = "aac", language: str = "und", **changes: Any) -> dict[str, Any]:
    stream = {"stream": number, "codec": codec, "language": language, "channels": 2}
    return {**stream, "bitrate_bps": 128_000, **changes}


def text(number: int, codec: str, *, is_text: bool = True) -> dict[str, Any]:
    return {"stream": number, "codec": codec, "text": is_text, "language": "eng"}


def facts(*streams: dict[str, Any], duration_s: float = 60) -> dict[str, Any]:
    return {
        "format": {"duration_s": duration_s, "container": "matroska", "bitrate_bps": 5_000_000},
        "video": [it for it in streams if "width" in it],
        "audio": [it for it in streams if "channels" in it],
        "subtitles": [it for it in streams if "text" in it],
    }


def decided(found: dict[str, Any], container: str = "mp4", **wanted: Any) -> Decision:
    return decide(found, FILM, Wishes(**wanted), container)


def codecs(decision: Decision) -> list[str]:
    job = decision.job
    assert job.video is not None
    return [job.video.codec, *(track.codec for track in job.audio)]


def test_all_is_copied_when_nothing_needs_changing() -> None:
    decision = decided(facts(video(), sound(1), sound(2, "ac3")))
    assert codecs(decision) == ["copy", "copy", "copy"]
    assert decision.copied


@pytest.mark.parametrize(
    "wanted",
    [
        {"quality": Quality.HIGH},
        {"crf": 20},
        {"scale": Scale(short_side=720)},
        {"crop": Crop(0, 0, 640, 360)},
        {"fps": Fraction(25)},
        {"start_s": 1.0},
        {"codec": "hevc"},
        {"size_bytes": 10_000_000},
        {"target_vmaf": 95.0},
    ],
)
def test_pictures_are_encoded_when_something_changes_them(wanted: dict[str, Any]) -> None:
    made = decided(facts(video()), **wanted).job.video
    assert made is not None
    assert made.codec == wanted.get("codec", "h264")


@pytest.mark.parametrize(
    ("container", "stream", "expected"),
    [
        ("mp4", video(codec="mpeg2video"), "h264"),
        ("mkv", video(codec="mpeg2video"), "copy"),
        ("webm", video(), "vp9"),
        ("webm", video(codec="av1"), "copy"),
        ("mkv", video(rotation=90), "h264"),
        ("mp4", video(rotation=90), "copy"),
    ],
)
def test_copying_follows_what_the_container_takes_when_nothing_is_asked(
    container: str, stream: dict[str, Any], expected: str
) -> None:
    assert codecs(decided(facts(stream), container)) == [expected]


def test_sound_is_encoded_when_the_container_does_not_take_it_or_the_time_is_cut() -> None:
    found = facts(video(), sound(1), sound(2, "vorbis"), sound(3, "pcm_s16le"))
    assert codecs(decided(found))[1:] == ["copy", "aac", "aac"]
    assert codecs(decided(found, "webm"))[1:] == ["opus", "copy", "opus"]
    assert codecs(decided(found, end_s=5.0))[1:] == ["aac", "aac", "aac"]


def test_tracks_are_chosen_when_named_by_number_or_language() -> None:
    found = facts(video(), sound(1, language="eng"), sound(2, language="deu"), sound(3))
    for names, streams in {("2",): [2], ("eng", "3"): [1, 3], ("deu", "2"): [2]}.items():
        job = decided(found, audio=Tracks(all=False, names=names)).job
        assert [track.stream for track in job.audio] == streams
    assert decided(found, audio=Tracks(all=False)).job.audio == ()
    with pytest.raises(Failure, match=r"no track fra of audio; there are: 1 \(eng\), 2 \(deu\)"):
        decided(found, audio=Tracks(all=False, names=("fra",)))


def test_subtitles_take_the_containers_form_when_they_can() -> None:
    found = facts(
        video(), text(1, "subrip"), text(2, "hdmv_pgs_subtitle", is_text=False), text(3, "ass")
    )
    forms = {
        container: [it.codec for it in decided(found, container).job.subtitles]
        for container in ("mp4", "mkv", "webm")
    }
    assert forms == {
        "mp4": ["mov_text", "mov_text"],
        "mkv": ["copy", "copy", "copy"],
        "webm": ["webvtt", "webvtt"],
    }
    assert "stream 2, hdmv_pgs_subtitle" in decided(found).left_out[0]


def test_hdr_is_mapped_when_the_codec_is_h264_and_kept_when_not() -> None:
    found = facts(video(codec="hevc", hdr="pq", bit_depth=10))
    mapped = decided(found, codec="h264", crf=20).job.video
    kept = decided(found, codec="av1", crf=30).job.video
    wanted = decided(found, codec="av1", hdr="tonemap").job.video
    assert mapped is not None
    assert kept is not None
    assert wanted is not None
    assert (mapped.hdr, mapped.pixel_depth) == ("tonemap", 8)
    assert (kept.hdr, kept.pixel_depth) == ("keep", 10)
    assert (wanted.hdr, wanted.pixel_depth) == ("tonemap", 8)


PORTRAIT = video(rotation=90, display_width=1080, display_height=1920)
ANAMORPHIC = video(width=720, height=576, display_width=1024, display_height=576)


@pytest.mark.parametrize(
    ("stream", "wanted", "expected"),
    [
        (video(), {"scale": Scale(short_side=720)}, (1280, 720)),
        (video(), {"scale": Scale(short_side=2160)}, (1920, 1080)),
        (video(), {"scale": Scale(box=(1000, 1000))}, (1000, 562)),
        (video(), {"scale": Scale(box=(640, 640), exact=True)}, (640, 640)),
        (video(), {"scale": Scale(part=Fraction(1, 2))}, (960, 540)),
        (PORTRAIT, {"scale": Scale(short_side=720)}, (720, 1280)),
        (ANAMORPHIC, {"scale": Scale(short_side=288)}, (512, 288)),  # pixels become square
        (video(), {"crop": Crop(0, 0, 1080, 1080), "scale": Scale(short_side=540)}, (540, 540)),
    ],
)
def test_size_keeps_the_shape_when_scaled(
    stream: dict[str, Any], wanted: dict[str, Any], expected: tuple[int, int]
) -> None:
    made = decided(facts(stream), **wanted).job.video
    assert made is not None
    assert (made.width, made.height) == expected


@pytest.mark.parametrize(
    ("wanted", "problem"),
    [
        ({"crop": Crop(1000, 0, 1000, 100)}, "beyond the picture, which is 1920×1080"),
        ({"start_s": 61.0}, "the film ends at 60 s"),
        ({"scale": Scale(part=Fraction(1, 200))}, "cannot be coded"),
        ({"codec": "copy", "crf": 20}, "Copied pictures keep"),
        ({"crf": 60}, "--crf of h264 goes to 51"),
    ],
)
def test_failure_says_what_is_wrong_when_it_cannot_be_had(
    wanted: dict[str, Any], problem: str
) -> None:
    with pytest.raises(Failure, match=problem):
        decided(facts(video()), **wanted)


@pytest.mark.parametrize(
    ("stream", "container", "wanted", "problem"),
    [
        ({"hdr": "pq"}, "mp4", {"codec": "copy", "hdr": "tonemap"}, "Copied pictures keep their"),
        ({"hdr": "hlg", "codec": "hevc"}, "mp4", {"codec": "h264", "hdr": "keep"}, "keep HDR"),
        ({"hdr": "hlg"}, "mp4", {"crf": 20.0, "hdr": "keep"}, "cannot keep HDR"),
        ({"rotation": 180}, "mkv", {"codec": "copy"}, "turned by 180°, which is lost"),
        ({}, "webm", {"audio_codec": "aac"}, "webm does not take aac"),
        ({}, "mp4", {"crop": Crop(0, 0, 1, 1)}, "leaves 1×1, which cannot be coded"),
    ],
)
def test_failure_is_the_users_when_wishes_do_not_go_with_the_film(
    stream: dict[str, Any], container: str, wanted: dict[str, Any], problem: str
) -> None:
    with pytest.raises(Failure, match=problem) as caught:
        decided(facts(video(**stream), sound(1)), container, **wanted)
    assert (caught.value.reason, bool(caught.value.advice)) == ("USAGE", True)


def test_sound_alone_is_decided_when_no_pictures_are_there_or_wanted() -> None:
    song = facts(sound(0), sound(1, "mp3"))
    film = facts(video(), sound(1), text(2, "subrip"))
    assert [track.codec for track in decided(song).job.audio] == ["copy", "copy"]
    assert [track.codec for track in decided(song, quality=Quality.LOW).job.audio] == ["aac"] * 2
    taken = decided(film, pictures=False)
    assert (taken.job.video, taken.job.subtitles) == (None, ())
    assert taken.left_out == ("the pictures",)
    with pytest.raises(Failure, match="--bitrate is about pictures"):
        decided(song, bitrate_bps=1_000_000)
    with pytest.raises(Failure, match="--subtitles is about pictures"):
        decided(film, pictures=False, subtitles=Tracks(all=False, names=("eng",)))
    with pytest.raises(Failure, match="neither pictures nor sound"):
        decided(facts(video(attached_picture=True)))


def test_rate_follows_from_the_size_when_the_length_is_known() -> None:
    decision = decided(facts(video(), sound(1)), size_bytes=10_000_000)
    rate = fit.bitrate_bps(decision, 10_000_000, FILM)
    assert (rate + 128_000) * 60 / 8 == pytest.approx(9_900_000, rel=0.01)
    with pytest.raises(Failure, match=r"500\.0 kB leave nothing for 60 s"):
        fit.bitrate_bps(decision, 500_000, FILM)
    with pytest.raises(Failure, match="how long it is"):
        fit.bitrate_bps(replace(decision, duration_s=None), 10_000_000, FILM)


@pytest.mark.parametrize(
    ("stream", "codec", "expected"),
    [
        ({}, "h264", 4_000_000),
        ({}, "hevc", 4_000_000),
        ({"codec": "av1"}, "h264", 8_000_000),
        ({"codec": "av1"}, "vp9", 4_000_000),
        ({"bitrate_bps": None}, "h264", 5_000_000 - 128_000),
        ({"bitrate_bps": 900}, "h264", 20_000),
    ],
)
def test_rate_of_use_is_the_sources_when_a_size_leaves_more(
    stream: dict[str, Any], codec: str, expected: int
) -> None:
    found = facts(video(**stream), sound(1))
    decision = decided(found, "mkv", codec=codec, size_bytes=10**9)
    assert fit.useful_bps(decision) == expected
    if stream.get("bitrate_bps", 0) is None:
        found["format"]["bitrate_bps"] = 0
        assert fit.useful_bps(decision) is None


@pytest.mark.parametrize(
    ("container", "reordered", "expected"),
    [("avi", True, "h264"), ("avi", False, "copy"), ("mpegts", True, "copy")],
)
def test_copying_depends_on_exact_times_when_pictures_are_reordered(
    container: str, reordered: bool, expected: str
) -> None:
    found = facts(video(reordered=reordered))
    found["format"]["container"] = container
    assert codecs(decided(found)) == [expected]


@pytest.mark.parametrize(("container", "expected"), [("mkv", "h264"), ("mp4", "copy")])
def test_copying_depends_on_the_container_when_an_edit_list_hides_pictures(
    container: str, expected: str
) -> None:
    found = facts(video(hides_first_pictures=True))
    assert codecs(decided(found, container)) == [expected]


@pytest.mark.parametrize(
    ("container", "wanted", "expected"),
    [
        ("mp4", {"crf": 20.0}, 400),
        ("mp4", {"crf": 20.0, "fps": Fraction(25)}, None),
        ("mp4", {"crf": 20.0, "end_s": 9.0}, None),
        ("mp4", {}, None),
        ("matroska", {"crf": 20.0}, None),
    ],
)
def test_pictures_are_counted_when_their_rate_varies_and_the_file_counts_them(
    container: str, wanted: dict[str, Any], expected: int | None
) -> None:
    found = facts(video(frames=400, variable_frame_rate=True))
    found["format"]["container"] = container
    assert decided(found, **wanted).pictures == expected


def test_sound_is_made_lighter_when_it_would_take_most_of_a_size() -> None:
    film = facts(video(), sound(1, bitrate_bps=640_000, channels=6), duration_s=60)
    decision = decided(film, size_bytes=6_000_000)
    assert [track.codec for track in decision.job.audio] == ["copy"]
    wanted = Wishes(size_bytes=6_000_000)
    lighter = fit.with_lighter_sound(decision, 6_000_000, wanted)
    assert lighter.job.audio == (Audio(1, "aac", 160_000, channels=2),)
    assert fit.with_lighter_sound(decision, 60_000_000, wanted) == decision
    asked = Wishes(size_bytes=6_000_000, audio_codec="copy")
    assert fit.with_lighter_sound(decision, 6_000_000, asked) == decision
    assert fit.with_lighter_sound(decision, 60_000, wanted).job.audio[0].bitrate_bps == 32_000


@pytest.mark.parametrize(("codec", "stats"), [("av1", None), ("vp9", "notes")])
def test_passes_are_as_many_as_the_codec_has_when_a_rate_is_asked_for(
    codec: str, stats: str | None
) -> None:
    decision = decided(facts(video()), "mkv", codec=codec, bitrate_bps=500_000)
    made = fit.at_rate(decision.job, 400_000, "notes").video
    assert made is not None
    assert (made.bitrate_bps, made.crf, made.stats) == (400_000, None, stats)


@pytest.mark.parametrize("target", [80.0, 90.0, 95.5, 98.0])
@pytest.mark.parametrize("first", [22, 40])
def test_search_finds_the_setting_in_five_trials_when_quality_falls_as_it_rises(
    target: float, first: int
) -> None:
    def quality(crf: int) -> float:
        return 100 - 0.35 * max(0, crf - 10) - 0.018 * max(0, crf - 10) ** 2

    trials = vmaf.search(target, first, 51, quality)
    best = trials[-1]
    assert len(trials) <= vmaf.MOST_TRIALS
    assert best.vmaf >= target - vmaf.NEAR
    assert quality(best.crf + 1) < target + 0.5


def test_search_takes_the_best_when_none_is_good_enough() -> None:
    trials = vmaf.search(99, 30, 51, lambda crf: 80 - crf)
    assert trials[-1].crf == min(trial.crf for trial in trials)


def test_presets_are_ordered_when_compared() -> None:
    assert set(SETTINGS) == set(HIGHEST_CRF)
    for settings in SETTINGS.values():
        assert [it.crf for it in settings.values()] == sorted(it.crf for it in settings.values())
        assert list(settings) == list(Quality)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("720p", Scale(short_side=720)),
        ("1280x720", Scale(box=(1280, 720))),
        ("640x640!", Scale(box=(640, 640), exact=True)),
        ("50%", Scale(part=Fraction(1, 2))),
    ],
)
def test_scale_is_read_when_written_in_any_way(text: str, expected: Scale) -> None:
    assert wishes.read_scale(text) == expected


def test_rate_is_ntscs_when_it_is_meant() -> None:
    assert wishes.read_fps("29.97") == Fraction(30000, 1001)
    assert wishes.read_fps("23.976") == Fraction(24000, 1001)
    assert wishes.read_fps("25") == 25
    assert wishes.read_fps("12.5") == Fraction(25, 2)
    for text in ("0", "1/0", "fast", "1000"):
        with pytest.raises(ValueError, match="frame rate"):
            wishes.read_fps(text)


def refused(*arguments: str) -> str:
    result = CliRunner().invoke(main, ["transcode", str(media.BUNNY), *arguments])
    assert result.exit_code == 2, result.output
    return result.stderr


def test_command_line_is_refused_when_it_contradicts_itself() -> None:
    assert "--crf and --size exclude each other" in refused("a.mp4", "--crf", "3", "--size", "1MB")
    assert "--two-pass needs a rate" in refused("a.mp4", "--two-pass")
    assert "--end is not after --start" in refused("a.mp4", "--start", "5", "--end", "4")
    assert "none of ours" in refused("a.avi")
    assert "The output is the input" in refused(str(media.BUNNY))
    assert "no size: write 720p" in refused("a.mp4", "--scale", "big")


@pytest.mark.needs_engine
@pytest.mark.parametrize(
    "options",
    [
        "--quality low --scale 180p --crop 640:360:0:0 --fps 12.5 --end 1 --channels 2",
        "--codec hevc --bitrate 300k --two-pass --scale 180p --end 0.5 --speed ultrafast",
    ],
)
def test_ffmpeg_runs_what_a_dry_run_prints_when_asked_to(options: str, tmp_path: Path) -> None:
    arguments = ["transcode", str(media.BUNNY), str(tmp_path / "a.mp4"), *options.split()]
    result = CliRunner().invoke(main, [*arguments, "--dry-run", "--json"])
    (plan,) = [json.loads(line) for line in result.stdout.splitlines()]
    assert plan["type"] == "plan"
    assert not list(tmp_path.iterdir())
    for line in plan["ffmpeg"]:
        words = shlex.split(line)
        words[1:1] = ["-nostdin", "-v", "error", "-y"]
        subprocess.run(words, check=True, cwd=tmp_path, timeout=60)
    made = media.ffprobe(tmp_path / "a.mp4", "-show_streams")["streams"]
    assert (made[0]["width"], made[0]["height"]) == (320, 180)
