"""What is in a file beside one picture and one sound: copies, subtitles, titles, chapters."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness import media
from tests.harness.conversion import AUDIO, Job, convert, cues, job, run
from tests.harness.ladder import video_stream
from tests.media import conversions
from tests.media.matrix import CLIPS

pytestmark = pytest.mark.needs_engine


def film() -> Path:
    """9 s with two sounds, three texts, a title and three chapters."""
    notes = media.written(
        "chapters.txt",
        b";FFMETADATA1\ntitle=A film\nartist=Nobody\n"
        + b"".join(
            b"[CHAPTER]\nTIMEBASE=1/1000\nSTART=%d\nEND=%d\ntitle=Part %d\n"
            % (3000 * n, 3000 * n + 3000, n + 1)
            for n in range(3)
        ),
    )
    return media.ffmpeg(
        "film.mkv",
        *("-i", str(media.everything()), "-i", str(notes), "-map", "0", "-map_metadata", "1"),
        *("-map_chapters", "1", "-c", "copy"),
    )


TEXTS: dict[str, tuple[str, str, str]] = {
    "mp4": ("mp4", "mov_text", "mov_text"),
    "webm": ("webm", "webvtt", "webvtt"),
    "mkv-ass": ("mkv", "ass", "ass"),
    "mkv-subrip": ("mkv", "subrip", "subrip"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_texts_keep_words_times_and_languages_when_they_are_converted(
    name: str, tmp_path: Path
) -> None:
    container, codec, shown = TEXTS[name]
    subtitles = [{"stream": stream, "codec": codec} for stream in (3, 4, 5)]
    made = convert(film(), job(container, None, subtitles=subtitles) | {"video": None}, tmp_path)
    streams = made.streams("s")
    assert [stream["codec_name"] for stream in streams] == [shown] * 3
    assert [stream["tags"]["language"] for stream in streams[:2]] == ["eng", "eng"]
    assert [track["cues"] for track in made.last["subtitles"]] == [2, 2, 2]
    for index in range(3):
        text = cues(made.path, index)
        assert "00:00:01,000 --> 00:00:02,500" in text
        assert "00:00:03,500 --> 00:00:08,250" in text
        assert "Over & over the borders\nof the grid" in text.replace("&amp;", "&")


def test_everything_is_there_when_a_whole_film_is_made_smaller(tmp_path: Path) -> None:
    the_job = job(
        "mkv",
        {"height": 90},
        audio=[AUDIO | {"stream": 1}, AUDIO | {"stream": 2, "codec": "copy"}],
        subtitles=[{"stream": 3, "codec": "copy"}, {"stream": 4, "codec": "ass"}],
    )
    made = convert(film(), the_job, tmp_path)
    streams = made.streams()
    kinds = [stream["codec_name"] for stream in streams]
    assert kinds == ["h264", "aac", "aac", "subrip", "ass"]
    assert [streams[n]["tags"]["language"] for n in (1, 2, 3)] == ["eng", "deu", "eng"]
    assert streams[1]["channels"] == 6
    assert streams[4]["disposition"]["default"] == 1
    assert made.last["copied"] == [2, 3]
    about = media.ffprobe(made.path, "-show_format", "-show_chapters")
    assert about["format"]["tags"]["title"] == "A film"
    assert [chapter["tags"]["title"] for chapter in about["chapters"]] == [
        "Part 1",
        "Part 2",
        "Part 3",
    ]
    fractions = [each["fraction"] for each in made.events if each["type"] == "progress"]
    assert fractions == sorted(fractions)


@pytest.mark.parametrize("container", ["mp4", "mkv"])
def test_chapters_and_cues_are_cut_at_the_ends_when_a_part_is_taken(
    container: str, tmp_path: Path
) -> None:
    codec = "mov_text" if container == "mp4" else "subrip"
    made = convert(
        film(),
        job(
            container,
            {"height": 90},
            subtitles=[{"stream": 3, "codec": codec}],
            start_s=2.0,
            end_s=7.0,
        ),
        tmp_path,
    )
    chapters = media.ffprobe(made.path, "-show_chapters")["chapters"]
    times = [(float(each["start_time"]), float(each["end_time"])) for each in chapters]
    # Chapters count from the file's zero, the range from the first picture.
    first_s = float(video_stream(film())["start_time"])
    (_, second), (_, third), (_, end) = times
    assert (second, third) == pytest.approx((1 - first_s, 4 - first_s), abs=0.0011)
    assert ([start for start, _ in times], end) == ([0, second, third], 5)
    text = cues(made.path)
    assert "00:00:00,000 --> 00:00:00,500" in text
    assert "00:00:01,500 --> 00:00:05,000" in text


def test_nothing_is_said_when_metadata_and_chapters_are_not_wanted(tmp_path: Path) -> None:
    made = convert(
        film(), job("mkv", {"height": 36}, end_s=0.2, metadata=False, chapters=False), tmp_path
    )
    about = media.ffprobe(made.path, "-show_format", "-show_chapters")
    assert not about["chapters"]
    assert "title" not in about["format"]["tags"]


@pytest.mark.parametrize("container", ["mp4", "mkv"])
def test_copy_begins_at_the_key_frame_before_when_it_is_cut(container: str, tmp_path: Path) -> None:
    """A key frame each second; the sound, encoded anew, begins there, too."""
    source = media.ffmpeg(
        "keys.mp4",
        *("-f", "lavfi", "-i", "testsrc2=s=160x90:r=25:d=4"),
        *("-f", "lavfi", "-i", "sine=440:sample_rate=48000:duration=4"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-g", "25", "-keyint_min", "25"),
        *("-pix_fmt", "yuv420p", "-c:a", "aac"),
    )
    the_job = job(container, {"codec": "copy"}, audio=[AUDIO], start_s=2.4, end_s=3.6)
    made = convert(source, the_job, tmp_path)
    (warning,) = made.warnings("STARTS_AT_KEY_FRAME")
    assert (warning["stream"], warning["time_s"]) == (0, 2.0)
    first = made.packets("v")[0]
    assert first["flags"].startswith("K")
    assert float(first["pts_time"]) == pytest.approx(0, abs=0.002)
    # Up to 3.6 s there are forty; the last two B-pictures need the one after them.
    assert made.streams("v")[0]["nb_read_packets"] == "41"
    assert made.last["duration_s"] == pytest.approx(1.64, abs=0.03)


def test_copy_shows_and_tells_what_an_edit_list_hid_when_matroska_cannot(tmp_path: Path) -> None:
    source = conversions.path("edit-list.mp4")
    made = convert(source, job("mkv", {"codec": "copy"}, audio=[AUDIO]), tmp_path)
    (warning,) = made.warnings("STARTS_AT_KEY_FRAME")
    assert warning["time_s"] == pytest.approx(-0.52, abs=0.001)
    assert made.streams("v")[0]["nb_read_packets"] == "25"
    assert made.picture_times_s()[0] == 0
    assert made.last["duration_s"] == pytest.approx(1, abs=0.03)


REFUSED: dict[str, tuple[str, Job, int, str]] = {
    "text-that-mp4-has-not": (
        "film",
        {"video": None, "subtitles": [{"stream": 3, "codec": "copy"}]},
        4,
        "Stream 3 (subrip) cannot be copied into mp4.",
    ),
    "h264-into-webm": (
        "h264-aac.mp4",
        {"container": "webm", "video": {"stream": 0, "codec": "copy"}},
        4,
        "cannot be",
    ),
    "reordered-without-times": (
        "h264-without-pts.avi",
        {"container": "mkv", "video": {"stream": 0, "codec": "copy"}},
        4,
        "Encode it instead.",
    ),
    "no-such-stream": ("h264-aac.mp4", {"video": {"stream": 7, "codec": "h264"}}, 2, "stream 7"),
    "sound-for-video": ("h264-aac.mp4", {"video": {"stream": 1, "codec": "h264"}}, 2, "no video"),
    "crop-outside": (
        "h264-aac.mp4",
        {
            "video": {
                "stream": 0,
                "codec": "h264",
                "crop": {"x": 100, "y": 0, "width": 100, "height": 50},
            }
        },
        2,
        "picture of 160x90",
    ),
    "after-the-end": ("h264-aac.mp4", {"start_s": 5.0}, 2, "start_s"),
    "hdr-in-h264": (
        "hdr10.mp4",
        {"video": {"stream": 0, "codec": "h264", "hdr": "keep", "pixel_depth": 10}},
        2,
        "hdr",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_reason_is_told_when_the_job_does_not_suit_the_source(name: str, tmp_path: Path) -> None:
    source, changes, exit_code, words = REFUSED[name]
    path = film() if source == "film" else CLIPS[source].path
    made = run(path, job() | changes, tmp_path / "out.mp4")
    assert made.exit_code == exit_code, made.log
    assert words in made.log
    assert not made.path.exists()
