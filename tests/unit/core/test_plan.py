from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from millrace import fitting, ladder, media, plan, renditions
from millrace.errors import PermanentError, Reason
from millrace.model import TaskKind
from millrace.plan import Plan
from tests.unit.core.fake_engine import probe_result


def planned(*, chunk_segments: int = 8, **source: Any) -> Plan:
    info = media.parse({**probe_result(**source), "type": "result"})
    return plan.make(info, chunk_segments=chunk_segments, preset="veryfast")


def sizes(**source: Any) -> list[tuple[str, int, int]]:
    return [(r.name, r.width, r.height) for r in planned(**source).video.renditions]


def test_plan_is_the_agreed_one_when_the_source_is_the_example() -> None:
    made = planned(duration_s=52.209, width=1280, height=720, frame_rate=(24, 1))
    assert json.loads(json.dumps(made.to_json())) == {
        "version": 1,
        "container": "cmaf",
        "frame_rate": {"num": 24, "den": 1},
        "duration_s": 52.209,
        "segment_frames": 96,
        "video": {
            "stream": 0,
            "preset": "veryfast",
            "renditions": [
                rendition("720p", 1280, 720, "3.1", 2_800_000),
                rendition("480p", 854, 480, "3.0", 1_400_000),
                rendition("360p", 640, 360, "3.0", 800_000),
            ],
        },
        "audio": [
            {
                "name": "audio-0",
                "stream": 1,
                "language": "und",
                "channels": 2,
                "sample_rate_hz": 48000,
                "bitrate_bps": 128000,
                "default": True,
            }
        ],
        "subtitles": [],
        "chunk_segments": 8,
        "head_segments": 1,
        "chunk_count": 3,
        "thumbnails": {
            "width": 320,
            "height": 180,
            "times_s": [8.701, 26.105, 43.508],
            "storyboard": True,
        },
        "poster": {"time_s": 5.221, "width": 1280, "height": 720},
    }


def rendition(name: str, width: int, height: int, level: str, maxrate: int) -> dict[str, Any]:
    return {
        "name": name,
        "width": width,
        "height": height,
        "codec": "h264",
        "profile": "high",
        "level": level,
        "crf": 23,
        "maxrate_bps": maxrate,
        "bufsize_bits": maxrate * 3 // 2,
        "rate_control": "crf",
        "bitrate_bps": None,
    }


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [
        (1920, 1080, [("1080p", 1920, 1080), ("720p", 1280, 720), ("480p", 854, 480)]),
        (3840, 2160, [("2160p", 3840, 2160), ("1440p", 2560, 1440), ("1080p", 1920, 1080)]),
        (4096, 2160, [("2160p", 4096, 2160), ("1440p", 2730, 1440), ("1080p", 2048, 1080)]),
        (5120, 2160, [("2160p", 4096, 1728), ("1440p", 3414, 1440), ("1080p", 2560, 1080)]),
        (3840, 2158, [("1440p", 2562, 1440), ("1080p", 1922, 1080), ("720p", 1282, 720)]),
        (1440, 2560, [("1440p", 1440, 2560), ("1080p", 1080, 1920), ("720p", 720, 1280)]),
        (1080, 1920, [("1080p", 1080, 1920), ("720p", 720, 1280), ("480p", 480, 854)]),
        (1920, 800, [("720p", 1728, 720), ("480p", 1152, 480), ("360p", 864, 360)]),
        (640, 360, [("360p", 640, 360)]),
        (640, 359, [("358p", 638, 358)]),
        (176, 144, [("144p", 176, 144)]),
        (145, 145, [("144p", 144, 144)]),
        (2, 2, [("2p", 2, 2)]),
        (1, 1, [("2p", 2, 2)]),
        (10000, 400, [("360p", 4096, 164)]),
    ],
)
def test_renditions_keep_the_aspect_and_never_grow_when_the_source_is(
    width: int, height: int, expected: list[tuple[str, int, int]]
) -> None:
    assert sizes(width=width, height=height)[: len(expected)] == expected


def test_display_size_counts_when_the_pixels_are_not_square() -> None:
    made = sizes(width=720, height=576, display_width=1024, display_height=576)
    assert made == [("480p", 854, 480), ("360p", 640, 360)]


@settings(deadline=None)  # time is nothing to be judged here
@given(
    width=st.integers(1, 8192),
    height=st.integers(1, 8192),
    rate=st.tuples(st.integers(1, 240_000), st.integers(1, 2_000)),
    duration_s=st.floats(0.01, 43_200),
)
def test_plan_is_sound_whatever_the_source_is(
    width: int, height: int, rate: tuple[int, int], duration_s: float
) -> None:
    made = planned(width=width, height=height, frame_rate=rate, duration_s=duration_s)
    short = min(width, height)
    assert made.video.renditions
    for each in made.video.renditions:
        assert each.width % 2 == each.height % 2 == 0
        assert min(each.width, each.height) <= max(2, short)
        assert max(each.width, each.height) <= renditions.LONGEST_SIDE
    assert 1 <= made.frame_rate.value <= 60
    assert abs(made.segment_s - 4) <= Fraction(1, 2)
    assert made.chunk_count >= 1
    covered = made.grid.first_segment(made.chunk_count) * made.segment_s
    assert covered >= round(duration_s * made.frame_rate.value) / made.frame_rate.value
    assert len(set(made.tasks())) == made.chunk_count + len(made.audio) + 1
    assert all(made.units(kind, index) >= 1 for kind, index in made.tasks())
    assert plan.from_json(json.loads(json.dumps(made.to_json()))) == made


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        ((24, 1), Fraction(24)),
        ((24000, 1001), Fraction(24000, 1001)),
        ((2397, 100), Fraction(24000, 1001)),
        ((30000, 1001), Fraction(30000, 1001)),
        ((60, 1), Fraction(60)),
        ((100, 1), Fraction(50)),
        ((120, 1), Fraction(60)),
        ((144, 1), Fraction(60)),
        ((240, 1), Fraction(60)),
        ((61, 1), Fraction(60)),
        ((25, 2), Fraction(25, 2)),
        ((1, 10), Fraction(1)),
        ((0, 0), Fraction(25)),
    ],
)
def test_frame_rate_is_constant_and_usual_when_the_source_has(
    rate: tuple[int, int], expected: Fraction
) -> None:
    assert planned(frame_rate=rate).frame_rate.value == expected


def test_average_counts_when_the_frame_rate_varies() -> None:
    average = {"num": 22_517, "den": 1000}
    made = planned(frame_rate=(90_000, 1), avg_frame_rate=average, variable_frame_rate=True)
    assert abs(made.frame_rate.value - Fraction(22_517, 1000)) < Fraction(1, 1000)


def test_nominal_rate_counts_when_a_constant_one_is_averaged_over_few_frames() -> None:
    made = planned(frame_rate=(15, 1), avg_frame_rate={"num": 1510, "den": 100}, duration_s=0.4)
    assert made.frame_rate.value == 15


@pytest.mark.parametrize(
    ("duration_s", "chunks"),
    [(0.04, 1), (4, 1), (16, 1), (16.04, 2), (36, 2), (36.04, 3), (3600, 114)],
)
def test_chunks_cover_the_grid_when_the_duration_is(duration_s: float, chunks: int) -> None:
    assert planned(duration_s=duration_s).chunk_count == chunks


def test_only_the_head_is_short_when_there_are_many_chunks() -> None:
    made = planned(duration_s=100)
    assert [made.grid.first_segment(chunk) for chunk in range(made.chunk_count)] == [0, 1, 9, 17]
    assert [made.grid.segments_of(chunk) for chunk in range(made.chunk_count)] == [1, 8, 8, None]


@pytest.mark.parametrize(("segment_s", "head"), [(1, 4), (2, 2), (4, 1), (10, 1)])
def test_head_lasts_about_as_long_when_segments_are(segment_s: int, head: int) -> None:
    info = media.parse(probe_result(duration_s=100))
    made = plan.make(info, chunk_segments=8, preset="veryfast", segment_s=segment_s)
    assert made.head_segments == head


def test_all_chunks_are_alike_when_the_head_is_not_to_be_short() -> None:
    info = media.parse(probe_result(duration_s=100))
    made = plan.make(info, chunk_segments=8, head_segments=0, preset="veryfast")
    assert [made.grid.first_segment(chunk) for chunk in range(made.chunk_count)] == [0, 8, 16, 24]


def test_chunks_are_alike_when_a_plan_was_stored_before_heads_were_short() -> None:
    stored = planned(duration_s=100).to_json()
    del stored["head_segments"]
    stored["chunk_count"] = 4
    made = plan.from_json(stored)
    assert [made.grid.first_segment(chunk) for chunk in range(4)] == [0, 8, 16, 24]
    assert sum(made.units(TaskKind.TRANSCODE, chunk) for chunk in range(4)) == 100_000


def test_there_is_one_chunk_when_seeking_is_not_exact() -> None:
    assert planned(duration_s=3600, seekable=False).chunk_count == 1


def test_duration_comes_from_the_container_when_the_stream_has_none() -> None:
    result = probe_result(duration_s=40)
    result["video"][0]["duration_s"] = None
    made = plan.make(media.parse(result), chunk_segments=8, preset="veryfast")
    assert (made.duration_s, made.chunk_count) == (40, 3)


@pytest.mark.parametrize(
    ("duration_s", "times"),
    [
        (3600, (10, 30, 60)),
        (60.1, (10, 30, 60)),
        (60, (10, 30, 50)),
        (6, (1, 3, 5)),
        (0.04, (0.007, 0.02, 0.033)),
    ],
)
def test_stills_are_spread_when_the_video_lasts(
    duration_s: float, times: tuple[float, ...]
) -> None:
    assert planned(duration_s=duration_s).thumbnails.times_s == times


def test_head_and_audio_go_first_when_tasks_are_announced() -> None:
    order = list(planned(duration_s=100, audio=2).tasks())
    assert order[:4] == [
        (TaskKind.TRANSCODE, 0),
        (TaskKind.AUDIO, 0),
        (TaskKind.AUDIO, 1),
        (TaskKind.THUMBNAIL, 0),
    ]


def test_units_add_up_to_the_duration_when_there_are_many_chunks() -> None:
    made = planned(duration_s=100.5)
    total = sum(made.units(TaskKind.TRANSCODE, index) for index in range(made.chunk_count))
    assert total == 100_500


def test_subtitles_are_planned_when_they_are_text() -> None:
    result = probe_result(subtitles=3)
    result["subtitles"][0]["text"] = False
    result["subtitles"][2]["forced"] = True
    made = plan.make(media.parse(result), chunk_segments=8, preset="veryfast")
    assert [(text.name, text.stream, text.forced) for text in made.subtitles] == [
        ("subtitles-0", 3, False),
        ("subtitles-1", 4, True),
    ]
    assert list(made.tasks())[2:4] == [(TaskKind.SUBTITLES, 0), (TaskKind.SUBTITLES, 1)]
    assert made.units(TaskKind.SUBTITLES, 0) == 140
    assert len(planned(subtitles=40).subtitles) == plan.MAX_SUBTITLE_TRACKS


def test_only_one_subtitle_track_is_the_default_when_several_say_so() -> None:
    result = probe_result(subtitles=3)
    for stream, default in zip(result["subtitles"], (False, True, True), strict=True):
        stream["default"] = default
    made = plan.make(media.parse(result), chunk_segments=8, preset="veryfast")
    assert [text.default for text in made.subtitles] == [False, True, False]


@pytest.mark.parametrize(("channels", "kept"), [(2, 0), (5, 0), (6, 1), (8, 1)])
def test_surround_is_kept_beside_its_downmix_when_that_is_wanted(channels: int, kept: int) -> None:
    result = probe_result(audio=2)
    result["audio"][1]["channels"] = channels
    info = media.parse(result)
    made = plan.make(info, chunk_segments=8, preset="veryfast", keep_surround=True)
    assert [track.channels for track in made.audio] == [2, 2, *[6] * kept]
    assert [made.downmix_of(track) for track in made.audio[2:]] == [made.audio[1]] * kept
    without = plan.make(info, chunk_segments=8, preset="veryfast")
    assert len(without.audio) == 2


def test_plan_is_read_back_when_it_has_everything() -> None:
    result = probe_result(subtitles=2, audio=2)
    result["audio"][0]["channels"] = 6
    options: dict[str, Any] = {"keep_surround": True, "container": plan.Container.MPEG_TS}
    made = plan.make(media.parse(result), chunk_segments=8, preset="veryfast", **options)
    assert plan.from_json(json.loads(json.dumps(made.to_json()))) == made


def test_plan_is_read_when_it_was_made_before_there_were_subtitles() -> None:
    stored = planned().to_json()
    for name in ("subtitles", "container"):
        del stored[name]
    assert plan.from_json(stored) == planned()


def test_there_is_no_audio_task_when_there_is_no_audio() -> None:
    made = planned(audio=0)
    assert made.audio == ()
    assert not [task for task in made.tasks() if task[0] is TaskKind.AUDIO]


def test_cover_picture_is_no_video_when_it_is_all_there_is() -> None:
    with pytest.raises(PermanentError) as caught:
        planned(attached_picture=True)
    assert caught.value.reason is Reason.NO_VIDEO_STREAM


def test_film_is_shown_when_a_cover_picture_comes_first() -> None:
    result = probe_result()
    cover = {**result["video"][0], "stream": 5, "attached_picture": True}
    result["video"].insert(0, cover)
    made = plan.make(media.parse(result), chunk_segments=8, preset="veryfast")
    assert made.video.stream == 0


@pytest.mark.parametrize("broken", [{}, {"format": {}}, {**probe_result(), "video": [{}]}])
def test_probe_result_is_refused_when_it_is_not_as_agreed(broken: dict[str, Any]) -> None:
    with pytest.raises(PermanentError) as caught:
        media.parse(broken)
    assert caught.value.reason is Reason.INTERNAL


def multi(**source: Any) -> Plan:
    info = media.parse({**probe_result(**source), "type": "result"})
    return plan.make(info, chunk_segments=8, preset="veryfast", rungs=ladder.LADDERS["multi"])


def test_each_codec_has_its_rungs_when_the_ladder_has_several() -> None:
    made = multi(width=854, height=480).video.renditions
    assert [(each.name, each.codec, each.profile, each.level, each.crf) for each in made] == [
        ("480p", "h264", "high", "3.0", 23),
        ("360p", "h264", "high", "3.0", 23),
        ("480p-hevc", "hevc", "main", "3.0", 26),
        ("360p-hevc", "hevc", "main", "2.1", 26),
        ("480p-av1", "av1", "main", "3.0", 35),
        ("360p-av1", "av1", "main", "2.1", 35),
    ]


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [
        (320, 240, [("240p", "h264")]),
        (62, 62, [("62p", "h264")]),
        (10_000, 144, [("144p", "h264")]),
        (25_600, 360, [("360p", "h264")]),
    ],
)
def test_every_size_has_a_rendition_when_the_encoders_of_others_do_not_take_it(
    width: int, height: int, expected: list[tuple[str, str]]
) -> None:
    made = multi(width=width, height=height).video.renditions
    assert [(each.name, each.codec) for each in made] == expected


def analysis(*useful: str, reliable: bool = True, maxrate_bps: int = 1_000_000) -> dict[str, Any]:
    return {
        "reliable": reliable,
        "renditions": [
            {"name": name, "useful": name in useful, "crf": 27, "maxrate_bps": maxrate_bps}
            for name in ("1080p", "720p", "480p", "360p")
        ],
    }


def test_useless_rungs_are_left_out_when_the_plan_is_fitted() -> None:
    made = fitting.fitted(planned(width=1920, height=1080), analysis("720p", "360p"))
    assert [(r.name, r.crf, r.maxrate_bps, r.bufsize_bits) for r in made.video.renditions] == [
        ("720p", 27, 1_000_000, 1_500_000),
        ("360p", 27, 800_000, 1_200_000),
    ]
    assert (made.poster.width, made.poster.height) == (1280, 720)
    assert plan.from_json(json.loads(json.dumps(made.to_json()))) == made


def test_level_still_carries_the_rate_when_the_plan_is_fitted() -> None:
    made = planned(width=1920, height=1080)
    found = fitting.fitted(made, analysis("1080p", maxrate_bps=90_000_000))
    assert found.video.renditions[0].maxrate_bps == made.video.renditions[0].maxrate_bps


def test_other_codecs_are_left_out_when_the_segments_are_transport_streams() -> None:
    info = media.parse({**probe_result(width=854, height=480), "type": "result"})

    def made(name: str) -> Plan:
        return plan.make(
            info,
            chunk_segments=8,
            preset="veryfast",
            rungs=ladder.LADDERS[name],
            container=plan.Container.MPEG_TS,
        )

    assert [each.name for each in made("multi").video.renditions] == ["480p", "360p"]
    with pytest.raises(ValueError, match=r"H\.264"):
        made("hevc")


def test_plan_stays_when_its_ladder_has_other_codecs_than_the_trials() -> None:
    made = multi(width=1920, height=1080)
    assert fitting.fitted(made, analysis("720p")) == made


@pytest.mark.parametrize(
    "found", [analysis("720p", reliable=False), analysis()], ids=["unreliable", "nothing useful"]
)
def test_plan_stays_when_the_analysis_is_of_no_use(found: dict[str, Any]) -> None:
    made = planned(width=1920, height=1080)
    assert fitting.fitted(made, found) == made


def test_a_small_source_keeps_the_codec_when_the_ladder_has_one() -> None:
    info = media.parse({**probe_result(width=320, height=240), "type": "result"})
    rungs = ladder.LADDERS["av1"]
    (only,) = plan.make(info, chunk_segments=8, preset="veryfast", rungs=rungs).video.renditions
    assert (only.name, only.codec, only.crf) == ("240p", "av1", 35)
    assert only.maxrate_bps == rungs[-1].maxrate_bps
