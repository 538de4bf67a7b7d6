from __future__ import annotations

import json
import re
from typing import Any

import pytest

from millrace.ladder import LADDERS, LEAST_SIDE, USUAL_CRF, LadderError, Rung, from_json
from millrace.levels import Codec
from tests.unit.core.harness import REPOSITORY

PAGE = (REPOSITORY / "docs" / "reference" / "ladders.md").read_text()


def document(**changes: Any) -> dict[str, Any]:
    """Two rungs; `changes` are to the second one, a value of None takes a field away."""
    second = {"name": "540p", "short_side": 540, "maxrate_bps": 1_500_000, **changes}
    kept = {name: value for name, value in second.items() if value is not None}
    return {"rungs": [{"name": "900p", "short_side": 900, "maxrate_bps": 4_000_000}, kept]}


def test_ladders_are_highest_first_and_unique_codec_by_codec() -> None:
    for rungs in LADDERS.values():
        assert len({rung.name for rung in rungs}) == len(rungs)
        for codec in Codec:
            own = [rung for rung in rungs if rung.codec is codec]
            for values in ([rung.short_side for rung in own], [rung.maxrate_bps for rung in own]):
                assert values == sorted(set(values), reverse=True)


def test_default_ladder_is_the_agreed_one() -> None:
    assert [(rung.short_side, rung.maxrate_bps / 1e6) for rung in LADDERS["default"]] == [
        (2160, 16),
        (1440, 9),
        (1080, 5),
        (720, 2.8),
        (480, 1.4),
        (360, 0.8),
    ]
    assert {rung.codec for rung in LADDERS["default"]} == {Codec.H264}


def test_several_codecs_begin_with_the_one_that_everything_plays() -> None:
    rungs = LADDERS["multi"]
    assert list(dict.fromkeys(rung.codec for rung in rungs)) == list(Codec)
    assert rungs[: len(LADDERS["default"])] == LADDERS["default"]


def test_a_ladder_is_read_when_it_is_valid() -> None:
    assert from_json(document(codec="av1", crf=40)) == (
        Rung("900p", 900, 4_000_000, 23, Codec.H264),
        Rung("540p", 540, 1_500_000, 40, Codec.AV1),
    )


@pytest.mark.parametrize("codec", list(Codec))
def test_quality_is_the_codecs_usual_one_when_none_is_given(codec: Codec) -> None:
    assert from_json(document(codec=codec.value))[1].crf == USUAL_CRF[codec]


@pytest.mark.parametrize("name", list(LADDERS))
def test_named_ladders_are_valid_when_they_are_written_as_documents(name: str) -> None:
    rungs = [
        {
            "name": rung.name,
            "short_side": rung.short_side,
            "codec": rung.codec.value,
            "maxrate_bps": rung.maxrate_bps,
            "crf": rung.crf,
        }
        for rung in LADDERS[name]
    ]
    assert from_json(json.loads(json.dumps({"rungs": rungs}))) == LADDERS[name]


@pytest.mark.parametrize(
    ("broken", "field"),
    [
        ([], "ladder"),
        ({}, "ladder"),
        ({**document(), "more": 1}, "ladder"),
        ({"rungs": {}}, "rungs"),
        ({"rungs": []}, "rungs"),
        ({"rungs": [{}] * 25}, "rungs"),
        ({"rungs": ["720p"]}, "rungs[0]"),
        (document(bitrate=1), "rungs[1].bitrate"),
        (document(name=None), "rungs[1].name"),
        (document(name=""), "rungs[1].name"),
        (document(name="../up"), "rungs[1].name"),
        (document(name="-x"), "rungs[1].name"),
        (document(name="a" * 33), "rungs[1].name"),
        (document(name="audio-0"), "rungs[1].name"),
        (document(name="Thumbnails"), "rungs[1].name"),
        (document(name="900p"), "rungs[1].name"),
        (document(short_side=None), "rungs[1].short_side"),
        (document(short_side=541), "rungs[1].short_side"),
        (document(short_side=14), "rungs[1].short_side"),
        (document(short_side=2162), "rungs[1].short_side"),
        (document(short_side="540"), "rungs[1].short_side"),
        (document(short_side=540.0), "rungs[1].short_side"),
        (document(short_side=900), "rungs[1].short_side"),
        (document(short_side=1080), "rungs[1].short_side"),
        (document(short_side=62, codec="hevc"), "rungs[1].short_side"),
        (document(maxrate_bps=None), "rungs[1].maxrate_bps"),
        (document(maxrate_bps=49_999), "rungs[1].maxrate_bps"),
        (document(maxrate_bps=100_000_001), "rungs[1].maxrate_bps"),
        (document(maxrate_bps=True), "rungs[1].maxrate_bps"),
        (document(crf=0), "rungs[1].crf"),
        (document(crf=52), "rungs[1].crf"),
        (document(crf=64, codec="av1"), "rungs[1].crf"),
        (document(codec="vp9"), "rungs[1].codec"),
        (document(codec=["av1"]), "rungs[1].codec"),
    ],
)
def test_a_ladder_is_refused_naming_the_field_when_it_is_wrong(broken: Any, field: str) -> None:
    with pytest.raises(LadderError) as caught:
        from_json(broken)
    assert caught.value.field == field
    assert str(caught.value).startswith(f"{field}: ")


def test_the_same_size_is_taken_twice_when_the_codecs_differ() -> None:
    assert len(from_json(document(short_side=900, codec="hevc"))) == 2


def test_the_page_gives_a_valid_example() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert len(from_json(json.loads(example))) == 4


def test_the_page_names_every_rung_when_a_ladder_has_it() -> None:
    rows = re.findall(r"^\| (\d+)p \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", PAGE, re.MULTILINE)
    told = {int(side): [float(rate) for rate in rates] for side, *rates in rows}
    listed = {
        rung.short_side: [
            LADDERS[name][place].maxrate_bps / 1e6 for name in ("default", "hevc", "av1")
        ]
        for place, rung in enumerate(LADDERS["default"])
    }
    assert told == listed
    for name in LADDERS:
        assert f"`{name}`" in PAGE


def test_the_page_tells_the_limits_when_they_depend_on_the_codec() -> None:
    for codec in Codec:
        assert re.search(rf"^\| `{codec}` \|.*\| {USUAL_CRF[codec]} \|", PAGE, re.MULTILINE)
        assert re.search(rf"^\| `{codec}` \|.*\| {max(16, LEAST_SIDE[codec])} \|$", PAGE, re.M)
