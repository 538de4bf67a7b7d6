"""The probe's result under the names that ffprobe uses (`-show_format -show_streams
-show_chapters -of json`), so that programs which read those can read ours.

What ffprobe has no name for is in a member `millrace` of the stream or the format. Members whose
value is not known are left out, as ffprobe does.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import gcd
from pathlib import Path
from typing import Any

from cli.media.facts import Facts

_FIELD_ORDERS = {"progressive": "progressive", "top_first": "tt", "bottom_first": "bb"}
_COLOUR_NAMES = {
    "range": "color_range",
    "matrix": "color_space",
    "transfer": "color_transfer",
    "primaries": "color_primaries",
    "chroma_location": "chroma_location",
}
_DISPOSITIONS = (
    *("default", "dub", "original", "comment", "lyrics", "karaoke", "forced", "hearing_impaired"),
    *("visual_impaired", "clean_effects", "attached_pic", "timed_thumbnails", "captions"),
    *("descriptions", "metadata", "dependent", "still_image"),
)
"""ffprobe tells them all, set or not."""


def document(facts: Facts, file: Path) -> dict[str, Any]:
    """`streams`, `chapters` and `format`."""
    streams = [
        *(_video(stream) for stream in facts["video"]),
        *(_audio(stream) for stream in facts["audio"]),
        *(_subtitle(stream) for stream in facts["subtitles"]),
        *(_other(stream) for stream in facts["others"]),
    ]
    return {
        "streams": sorted(streams, key=lambda stream: int(stream["index"])),
        "chapters": [_chapter(number, each) for number, each in enumerate(facts["chapters"])],
        "format": _format(facts, file, len(streams)),
    }


def _format(facts: Facts, file: Path, streams: int) -> dict[str, Any]:
    found = facts["format"]
    return _known(
        {
            "filename": str(file),
            "nb_streams": streams,
            "format_name": found["name"],
            "start_time": _decimal(found["start_s"]),
            "duration": _decimal(found["duration_s"] or None),
            "size": str(found["bytes"]),
            "bit_rate": _text(found["bitrate_bps"] or None),
            "millrace": {
                "container": found["container"],
                "seekable_exactly": found["seekable_exactly"],
                "duration_from": found["duration_from"],
                "warnings": facts["warnings"],
            },
        }
    )


def _video(stream: Mapping[str, Any]) -> dict[str, Any]:
    width, height, sar = stream["width"], stream["height"], stream["sar"]
    return _stream(
        stream,
        "video",
        width=width,
        height=height,
        sample_aspect_ratio=_ratio(sar["num"], sar["den"]),
        display_aspect_ratio=_ratio(width * sar["num"], height * sar["den"]),
        pix_fmt=stream["pixel_format"],
        level=stream["level"],
        **{name: stream["color"][ours] for ours, name in _COLOUR_NAMES.items()},
        field_order=_FIELD_ORDERS.get(stream["field_order"] or ""),
        r_frame_rate=None if stream["attached_picture"] else _rate(stream["frame_rate"]),
        avg_frame_rate=_rate(stream["avg_frame_rate"]),
        bits_per_raw_sample=_text(stream["bit_depth"]),
        nb_frames=_text(stream["frames"] or None),
        side_data_list=_side_data(stream),
        millrace={
            "hdr": stream["hdr"],
            "rotation": stream["rotation"],
            "display_width": stream["display_width"],
            "display_height": stream["display_height"],
            "interlaced": stream["interlaced"],
            "variable_frame_rate": stream["variable_frame_rate"],
            "key_frames": _key_frames(stream["key_frames"]),
        },
    )


def _side_data(stream: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """ffprobe counts a display matrix's rotation counter-clockwise, from -180 to 180."""
    turn = -stream["rotation"] if stream["rotation"] <= 180 else 360 - stream["rotation"]
    found: list[dict[str, Any]] = []
    if turn:
        found.append({"side_data_type": "Display Matrix", "rotation": turn})
    if display := stream["mastering_display"]:
        found.append({"side_data_type": "Mastering display metadata", **_mastering(display)})
    if light := stream["content_light"]:
        told = {"max_content": light["max_cll_cd_m2"], "max_average": light["max_fall_cd_m2"]}
        found.append({"side_data_type": "Content light level metadata", **told})
    if vision := stream["dolby_vision"]:
        found.append({"side_data_type": "DOVI configuration record", **_dolby_vision(vision)})
    return found or None


def _mastering(display: Mapping[str, Any]) -> dict[str, str]:
    """In the steps of SMPTE ST 2086: 1/50000 of a chromaticity, 1/10000 cd/m²."""
    points = ("red", "green", "blue", "white_point")
    told = {
        f"{name}_{axis}": f"{round(value * 50_000)}/50000"
        for name in points
        for axis, value in zip("xy", display[name] or (), strict=False)
    }
    for name in ("min_luminance", "max_luminance"):
        value = display[f"{name}_cd_m2"]
        told |= {} if value is None else {name: f"{round(value * 10_000)}/10000"}
    return told


def _dolby_vision(vision: Mapping[str, Any]) -> dict[str, int]:
    return {
        "dv_profile": vision["profile"],
        "dv_level": vision["level"],
        "rpu_present_flag": int(vision["rpu"]),
        "el_present_flag": int(vision["enhancement_layer"]),
        "bl_present_flag": int(vision["base_layer"]),
        "dv_bl_signal_compatibility_id": vision["compatibility_id"],
    }


def _key_frames(found: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Without the times of them all: thousands of numbers that nobody reads."""
    if found is None:
        return None
    return {name: value for name, value in found.items() if name != "times_s"}


def _audio(stream: Mapping[str, Any]) -> dict[str, Any]:
    return _stream(
        stream,
        "audio",
        sample_rate=str(stream["sample_rate_hz"]),
        channels=stream["channels"],
        channel_layout=stream["channel_layout"],
        bits_per_raw_sample=_text(stream["bit_depth"]),
    )


def _subtitle(stream: Mapping[str, Any]) -> dict[str, Any]:
    return _stream(stream, "subtitle", millrace={"text": stream["text"]})


def _other(stream: Mapping[str, Any]) -> dict[str, Any]:
    return _stream(stream, str(stream.get("type") or "data"))


def _stream(stream: Mapping[str, Any], kind: str, **more: Any) -> dict[str, Any]:
    """What all kinds of streams have."""
    language = stream.get("language", "und")
    set_ones = stream.get("dispositions", ())
    tags = _known({"language": None if language == "und" else language, "title": _title(stream)})
    return _known(
        {
            "index": stream["stream"],
            "codec_name": stream.get("codec"),
            "profile": stream.get("profile"),
            "codec_type": kind,
            **more,
            "start_time": _decimal(stream.get("start_s")),
            "duration": _decimal(stream.get("duration_s") or None),
            "bit_rate": _text(stream.get("bitrate_bps")),
            "disposition": {name: int(name in set_ones) for name in _DISPOSITIONS},
            "tags": tags or None,
        }
    )


def _title(stream: Mapping[str, Any]) -> str | None:
    title: str | None = stream.get("title")
    return title


def _chapter(number: int, chapter: Mapping[str, Any]) -> dict[str, Any]:
    tags = _known({"title": chapter.get("title")})
    times = {"start_time": _decimal(chapter["start_s"]), "end_time": _decimal(chapter["end_s"])}
    return _known({"id": number, **times, "tags": tags or None})


def _known(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _decimal(value: float | None) -> str | None:
    return None if value is None else f"{value:.6f}"


def _text(value: int | None) -> str | None:
    return None if value is None else str(value)


def _rate(value: Mapping[str, int]) -> str:
    return f"{value['num']}/{value['den']}"


def _ratio(num: int, den: int) -> str | None:
    divisor = gcd(num, den)
    return f"{num // divisor}:{den // divisor}" if divisor else None
