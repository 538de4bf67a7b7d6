"""The `settings` of `POST /uploads`: which choices there are, and what is wrong with others.

docs/API.md, "Settings", describes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, TypeVar

from millrace import ladder
from millrace.ladder import LADDERS, PER_TITLE, LadderError, Rung
from millrace.levels import Codec
from millrace.plan import USUAL_STILLS, Container, StillsWanted
from millrace.problems import FieldError
from millrace.renditions import RateControl
from millrace.video_settings import USUAL, Priority, VideoSettings

PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium")
"""Slower ones may need longer for a chunk of 4K than a function may run (15 minutes)."""
SEGMENTS_S = range(1, 10 + 1)
MAX_STILLS = 100
LATEST_STILL_S = 7 * 24 * 3600
MAX_ERRORS = 20
_LONGEST_FIELD = 120
"""Characters of a field's name that are repeated; the client wrote it."""

_Choice = TypeVar("_Choice", bound=StrEnum)


class _BadError(Exception):
    def __init__(self, error: FieldError) -> None:
        super().__init__(error.message)
        self.error = error


def parse(value: Any, field: str = "settings") -> tuple[VideoSettings, list[FieldError]]:
    """Read the member `settings` of a request; None chooses nothing, in it and for it.

    Returns:
        The settings, and one error for each member that is wrong (the settings are then of no
        use). Fields are named from the request's root, e.g. `settings.ladder.rungs[2].crf`.
    """
    if value is None:
        return USUAL, []
    if not isinstance(value, dict):
        return USUAL, [FieldError(field, "not_an_object", f"{field} is an object.")]
    errors = _unknown(field, value, _READERS)
    chosen: dict[str, Any] = {}
    for name, read in _READERS.items():
        if value.get(name) is not None:
            try:
                chosen[name] = read(f"{field}.{name}", value[name])
            except _BadError as bad:
                errors.append(bad.error)
    if errors:
        return USUAL, errors[:MAX_ERRORS]
    settings = VideoSettings(**chosen)
    return settings, _conflicts(field, settings)


def choices() -> dict[str, Any]:
    """What a client may offer: each ladder with all that it makes, and the members' values."""
    return {
        "ladders": [
            {"name": name, "per_title": name in PER_TITLE, **ladder.to_json(rungs)}
            for name, rungs in LADDERS.items()
        ],
        "rate_controls": [control.value for control in RateControl],
        "segment_s": {
            "least": SEGMENTS_S[0],
            "most": SEGMENTS_S[-1],
            "usual": USUAL.segment_s,
        },
        "priorities": [priority.value for priority in Priority],
        "presets": list(PRESETS),
        "containers": [container.value for container in Container],
    }


def _conflicts(field: str, settings: VideoSettings) -> list[FieldError]:
    """What is right by itself and does not go together."""
    codecs = {rung.codec for rung in settings.rungs}
    errors = []
    if Codec.AV1 in codecs and settings.rate_control is not RateControl.CRF:
        message = "AV1 has constant quality only: choose crf, or a ladder without AV1."
        errors.append(FieldError(f"{field}.rate_control", "not_with_av1", message))
    if settings.container is Container.MPEG_TS and Codec.H264 not in codecs:
        message = "MPEG-TS carries H.264 only: choose cmaf, or a ladder with H.264."
        errors.append(FieldError(f"{field}.container", "not_with_ladder", message))
    return errors


def _unknown(field: str, value: Mapping[str, Any], known: Mapping[str, Any]) -> list[FieldError]:
    message = f"Known are {', '.join(known)}."
    names = sorted(set(value) - set(known))[:MAX_ERRORS]
    return [FieldError(f"{field}.{name[:64]}", "unknown", message) for name in names]


def _ladder(field: str, value: Any) -> str | tuple[Rung, ...]:
    if isinstance(value, str):
        if value not in LADDERS:
            raise _bad(field, "unknown", f"The named ladders are {', '.join(LADDERS)}.")
        return value
    if not isinstance(value, dict):
        raise _bad(field, "not_a_ladder", f"{field} is a ladder's name, or an object with rungs.")
    try:
        return ladder.from_json(value)
    except LadderError as error:
        where = field if error.field == "ladder" else f"{field}.{error.field}"[:_LONGEST_FIELD]
        raise _bad(where, "bad_ladder", f"{where}{str(error).removeprefix(error.field)}.") from None


def _one_of(kind: type[_Choice]) -> Callable[[str, Any], _Choice]:
    def read(field: str, value: Any) -> _Choice:
        if not isinstance(value, str) or value not in tuple(kind):
            raise _bad(field, "unknown", f"{field} is one of {', '.join(kind)}.")
        return kind(value)

    return read


def _preset(field: str, value: Any) -> str:
    if not isinstance(value, str) or value not in PRESETS:
        raise _bad(field, "unknown", f"{field} is one of {', '.join(PRESETS)}.")
    return value


def _segment_s(field: str, value: Any) -> int:
    return _whole(field, value, SEGMENTS_S, "seconds")


def _flag(field: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _bad(field, "not_a_boolean", f"{field} is true or false.")
    return value


def _thumbnails(field: str, value: Any) -> StillsWanted:
    if not isinstance(value, dict):
        raise _bad(field, "not_an_object", f"{field} is an object.")
    known = dict.fromkeys(("times_s", "count", "storyboard"))
    if unknown := _unknown(field, value, known):
        raise _BadError(unknown[0])
    if "times_s" in value and "count" in value:
        raise _bad(field, "ambiguous", f"{field} has either times_s or count.")
    count = value.get("count")
    return StillsWanted(
        times_s=_times(f"{field}.times_s", value["times_s"]) if "times_s" in value else None,
        count=(
            _whole(f"{field}.count", count, range(MAX_STILLS + 1), "thumbnails")
            if "count" in value
            else None
        ),
        storyboard=_flag(f"{field}.storyboard", value.get("storyboard", USUAL_STILLS.storyboard)),
    )


def _times(field: str, value: Any) -> tuple[float, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_STILLS:
        raise _bad(field, "not_a_list", f"{field} lists 1 to {MAX_STILLS} times, in seconds.")
    times_s = [_time(f"{field}[{index}]", time_s) for index, time_s in enumerate(value)]
    if len(set(times_s)) != len(times_s):
        raise _bad(field, "repeated", f"{field} names a time twice.")
    return tuple(sorted(times_s))


def _time(field: str, value: Any) -> float:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    # `not <=` also refuses NaN, which JSON parsers let through.
    if not number or not 0 <= value <= LATEST_STILL_S:
        message = f"{field} is a number of seconds, 0 to {LATEST_STILL_S}."
        raise _bad(field, "out_of_range", message)
    return round(float(value), 3)


def _whole(field: str, value: Any, allowed: range, unit: str) -> int:
    if type(value) is not int or value not in allowed:
        message = f"{field} is a whole number of {unit}, {allowed[0]} to {allowed[-1]}."
        raise _bad(field, "out_of_range", message)
    return value


def _bad(field: str, code: str, message: str) -> _BadError:
    return _BadError(FieldError(field, code, message))


_READERS: Mapping[str, Callable[[str, Any], Any]] = {
    "ladder": _ladder,
    "rate_control": _one_of(RateControl),
    "segment_s": _segment_s,
    "thumbnails": _thumbnails,
    "priority": _one_of(Priority),
    "preset": _preset,
    "container": _one_of(Container),
    "keep_surround": _flag,
}
"""By member of `settings`: what reads it."""
