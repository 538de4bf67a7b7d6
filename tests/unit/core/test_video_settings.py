"""What an uploader chooses: read from a request, kept, obeyed by the plan and the stills."""

from __future__ import annotations

import json
from typing import Any

import pytest

from millrace import ladder, media, plan, settings_rules, video_settings
from millrace.ladder import LADDERS, Rung
from millrace.levels import Codec
from millrace.model import TaskKind, Video, VideoStatus
from millrace.plan import Container, Plan, StillsWanted
from millrace.renditions import RateControl
from millrace.video_settings import USUAL, Priority, VideoSettings
from tests.unit.core.fake_engine import probe_result
from tests.unit.core.harness import Cloud

RUNG = {"name": "540p", "short_side": 540, "maxrate_bps": 3_000_000}
EVERYTHING = {
    "ladder": {"rungs": [{**RUNG, "bitrate_bps": 1_000_000, "codec": "hevc", "crf": 30}]},
    "rate_control": "abr",
    "segment_s": 2,
    "thumbnails": {"times_s": [7, 1.5], "storyboard": False},
    "priority": "high",
    "preset": "fast",
    "container": "cmaf",
    "keep_surround": True,
}


def chosen(**settings: Any) -> VideoSettings:
    found, errors = settings_rules.parse(settings)
    assert errors == []
    return found


def bad(settings: Any) -> dict[str, str]:
    _, errors = settings_rules.parse(settings)
    return {error.field: error.code for error in errors}


def test_all_choices_are_read_when_they_are_valid() -> None:
    assert chosen(**EVERYTHING) == VideoSettings(
        ladder=(Rung("540p", 540, 3_000_000, 30, Codec.HEVC, 1_000_000),),
        rate_control=RateControl.ABR,
        segment_s=2,
        thumbnails=StillsWanted(times_s=(1.5, 7.0), storyboard=False),
        priority=Priority.HIGH,
        preset="fast",
        container=Container.CMAF,
        keep_surround=True,
    )


@pytest.mark.parametrize(
    "settings",
    [{}, EVERYTHING, {"ladder": "multi", "thumbnails": {"count": 0}}, {"thumbnails": {"count": 7}}],
)
def test_settings_are_the_same_when_kept_and_read_again(settings: dict[str, Any]) -> None:
    found = chosen(**settings)
    kept = json.loads(json.dumps(found.to_json()))
    assert video_settings.from_json(kept) == found
    assert chosen(**kept) == found, "what is shown can be sent again"


def test_the_usual_holds_when_nothing_is_chosen() -> None:
    nothing = dict.fromkeys(EVERYTHING)
    assert settings_rules.parse(None) == settings_rules.parse(nothing) == (USUAL, [])
    assert video_settings.from_json(None) == USUAL


@pytest.mark.parametrize(
    ("settings", "errors"),
    [
        ([], {"settings": "not_an_object"}),
        ({"lader": "hevc"}, {"settings.lader": "unknown"}),
        ({"ladder": "4k"}, {"settings.ladder": "unknown"}),
        ({"ladder": 7}, {"settings.ladder": "not_a_ladder"}),
        ({"ladder": {}}, {"settings.ladder": "bad_ladder"}),
        ({"ladder": {"rungs": []}}, {"settings.ladder.rungs": "bad_ladder"}),
        (
            {"ladder": {"rungs": [{**RUNG, "bitrate_bps": 3_000_001}]}},
            {"settings.ladder.rungs[0].bitrate_bps": "bad_ladder"},
        ),
        ({"rate_control": "vbr"}, {"settings.rate_control": "unknown"}),
        ({"rate_control": ["crf"]}, {"settings.rate_control": "unknown"}),
        (
            {"rate_control": "cbr", "ladder": "multi"},
            {"settings.rate_control": "not_with_av1"},
        ),
        ({"container": "mpegts", "ladder": "hevc"}, {"settings.container": "not_with_ladder"}),
        ({"segment_s": 0}, {"settings.segment_s": "out_of_range"}),
        ({"segment_s": 11}, {"settings.segment_s": "out_of_range"}),
        ({"segment_s": 2.0}, {"settings.segment_s": "out_of_range"}),
        ({"segment_s": True}, {"settings.segment_s": "out_of_range"}),
        ({"thumbnails": 3}, {"settings.thumbnails": "not_an_object"}),
        ({"thumbnails": {"number": 3}}, {"settings.thumbnails.number": "unknown"}),
        ({"thumbnails": {"count": 101}}, {"settings.thumbnails.count": "out_of_range"}),
        ({"thumbnails": {"times_s": []}}, {"settings.thumbnails.times_s": "not_a_list"}),
        ({"thumbnails": {"times_s": [0] * 101}}, {"settings.thumbnails.times_s": "not_a_list"}),
        ({"thumbnails": {"times_s": [1, -1]}}, {"settings.thumbnails.times_s[1]": "out_of_range"}),
        (
            {"thumbnails": {"times_s": [float("nan")]}},
            {"settings.thumbnails.times_s[0]": "out_of_range"},
        ),
        ({"thumbnails": {"times_s": [1, 1.0]}}, {"settings.thumbnails.times_s": "repeated"}),
        ({"thumbnails": {"times_s": [1], "count": 1}}, {"settings.thumbnails": "ambiguous"}),
        ({"thumbnails": {"storyboard": 1}}, {"settings.thumbnails.storyboard": "not_a_boolean"}),
        ({"priority": "urgent"}, {"settings.priority": "unknown"}),
        ({"preset": "veryslow"}, {"settings.preset": "unknown"}),
        ({"keep_surround": "yes"}, {"settings.keep_surround": "not_a_boolean"}),
        (
            {"priority": 1, "preset": 1, "segment_s": "4"},
            {
                "settings.priority": "unknown",
                "settings.preset": "unknown",
                "settings.segment_s": "out_of_range",
            },
        ),
    ],
)
def test_each_bad_choice_is_named_when_settings_are_refused(
    settings: Any, errors: dict[str, str]
) -> None:
    assert bad(settings) == errors


def test_few_errors_are_told_when_there_are_very_many() -> None:
    assert len(bad({f"x{number}": 1 for number in range(1000)})) == settings_rules.MAX_ERRORS


def test_little_of_a_name_is_repeated_when_it_is_very_long() -> None:
    for settings in ({"x" * 10_000: 1}, {"ladder": {"rungs": [{**RUNG, "x" * 10_000: 1}]}}):
        _, errors = settings_rules.parse(settings)
        assert len(errors) == 1
        assert len(errors[0].field + errors[0].message) < 500


def planned(duration_s: float = 100.0, *, seekable: bool = True, **options: Any) -> Plan:
    source = probe_result(width=1280, height=720, duration_s=duration_s, seekable=seekable)
    info = media.parse({**source, "type": "result"})
    return plan.make(info, chunk_segments=8, preset="veryfast", **options)


def test_average_rates_follow_from_the_caps_when_the_ladder_names_none() -> None:
    made = planned(rate_control=RateControl.ABR).video.renditions
    assert [(r.bitrate_bps, r.maxrate_bps) for r in made] == [
        (1_866_666, 2_800_000),
        (933_333, 1_400_000),
        (533_333, 800_000),
    ]


def test_a_constant_rate_is_its_own_cap_when_the_ladder_names_one() -> None:
    (rung,) = ladder.from_json({"rungs": [{**RUNG, "bitrate_bps": 2_000_000}]})
    (made,) = planned(rate_control=RateControl.CBR, rungs=[rung]).video.renditions
    assert (made.bitrate_bps, made.maxrate_bps) == (2_000_000, 2_000_000)
    assert made.bufsize_bits == 3_000_000
    assert plan.from_json(planned(rate_control=RateControl.CBR).to_json()) == planned(
        rate_control=RateControl.CBR
    )


@pytest.mark.parametrize(("segment_s", "chunk_segments"), [(1, 32), (2, 16), (4, 8), (10, 3)])
def test_chunks_last_about_as_long_when_segments_are(segment_s: int, chunk_segments: int) -> None:
    made = planned(segment_s=segment_s)
    assert made.segment_s == segment_s
    assert made.chunk_segments == chunk_segments


@pytest.mark.parametrize(
    ("duration_s", "seekable", "segment_s"),
    [(10_800.0, True, 1), (43_200.0, True, 4), (10_800.0, False, 1), (43_200.0, False, 4)],
)
def test_segments_are_longer_when_a_task_could_not_tell_of_them(
    duration_s: float, seekable: bool, segment_s: int
) -> None:
    assert planned(duration_s, seekable=seekable, segment_s=1).segment_s == segment_s


def test_segments_are_longer_when_one_task_makes_many_renditions() -> None:
    made = planned(43_200.0, seekable=False, rungs=LADDERS["multi"])
    assert made.chunk_count == 1
    assert len(made.video.renditions) == 9
    assert made.segment_s == 9


@pytest.mark.parametrize(
    ("wanted", "times_s"),
    [
        (StillsWanted(), (10.0, 30.0, 60.0)),
        (StillsWanted(count=0), ()),
        (StillsWanted(count=2), (25.0, 75.0)),
        (StillsWanted(times_s=(0.0, 99.5, 100.0, 200.0)), (0.0, 99.5)),
    ],
)
def test_stills_are_where_they_are_wanted_when_planned(
    wanted: StillsWanted, times_s: tuple[float, ...]
) -> None:
    assert planned(stills=wanted).thumbnails.times_s == times_s


def test_a_plan_is_read_when_it_was_made_before_there_were_choices() -> None:
    made = planned()
    stored = json.loads(json.dumps(made.to_json()))
    del stored["thumbnails"]["storyboard"]
    for rendition in stored["video"]["renditions"]:
        del rendition["rate_control"], rendition["bitrate_bps"]
    assert plan.from_json(stored) == made


def test_the_video_is_made_as_chosen_when_its_object_arrives(cloud: Cloud) -> None:
    cloud.engine.source(width=960, height=540)
    cloud.upload(settings=chosen(**EVERYTHING).to_json())
    cloud.drain()
    video = cloud.video()
    assert video.status == VideoStatus.COMPLETED
    made = plan.from_json(video.plan)
    (rendition,) = made.video.renditions
    assert (rendition.codec, rendition.crf, rendition.rate_control) == ("hevc", 30, RateControl.ABR)
    assert made.segment_s == 2
    assert (made.video.preset, made.container) == ("fast", Container.CMAF)
    assert [still["time_s"] for still in video.thumbnails] == [1.5, 7.0]
    assert video.storyboard is None
    assert "--storyboard" not in cloud.engine.arguments("thumbnail")
    assert cloud.task(TaskKind.TRANSCODE, 0).urgency == "0.0."


def test_the_usual_is_made_when_nobody_announced_the_object(cloud: Cloud) -> None:
    etag = cloud.put_object("uploads/dropped.mp4")
    cloud.notify("uploads/dropped.mp4", etag, 6)
    cloud.drain()
    (video,) = [item for item in cloud.items() if isinstance(item, Video)]
    assert plan.from_json(video.plan) == plan.from_json(_usual_plan(cloud))


def _usual_plan(cloud: Cloud) -> dict[str, Any]:
    cloud.upload()
    cloud.drain()
    return dict(cloud.video().plan)


def test_the_deployments_container_gives_way_when_the_ladder_cannot_go_into_it(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MILLRACE_CONTAINER", "mpegts")
    cloud.upload(settings=chosen(ladder="hevc").to_json())
    cloud.drain()
    assert plan.from_json(cloud.video().plan).container is Container.CMAF


def test_everything_is_accepted_and_waits_when_nobody_works(cloud: Cloud) -> None:
    """Overload is depth of a queue: nothing fails, nothing is refused."""
    for number in range(30):
        cloud.upload(f"{number:026d}")
    while cloud.deliver("ingest"):
        pass
    assert cloud.waiting("probe") == 30
    found = [cloud.video(f"{number:026d}").status for number in range(30)]
    assert found == [VideoStatus.QUEUED] * 30
