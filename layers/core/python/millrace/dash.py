"""The DASH manifest of a finished video: the segments that the HLS playlists name, too.

ISO/IEC 23009-1, profile isoff-live (numbered segments with their exact times); the sections named
are those of its fourth edition. A growing video has none: a manifest that grows is a live stream
to a DASH player, which would start at its end.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import groupby

from millrace import rates
from millrace.outputs import Track
from millrace.plan import AudioTrack, Plan, SubtitleTrack
from millrace.renditions import Rendition

MANIFEST = "manifest.mpd"
_WHOLE_SUBTITLES = "subtitles.vtt"
_LEAST_TIMESCALE = 10_000
_AUDIO_CHANNELS = "urn:mpeg:dash:23003:3:audio_channel_configuration:2011"
_ROLE = "urn:mpeg:dash:role:2011"


def manifest(plan: Plan, video: Mapping[str, Track], others: Mapping[str, Track]) -> str:
    """The manifest's XML.

    Args:
        video: the whole tracks of all renditions, by name.
        others: those of all audio and subtitle tracks.
    """
    tracks = [*video.values(), *others.values()]
    target_s = rates.target_duration_s(plan, tracks)
    root = ET.Element(
        "MPD",
        {
            "xmlns": "urn:mpeg:dash:schema:mpd:2011",
            "profiles": "urn:mpeg:dash:profile:isoff-live:2011",
            "type": "static",
            "mediaPresentationDuration": _duration(max(track.duration_s for track in tracks)),
            # 5.3.1.2: at @bandwidth, which covers every segment, the longest has arrived by then.
            "minBufferTime": _duration(
                max(segment.duration_s for track in tracks for segment in track.segments)
            ),
        },
    )
    period = ET.SubElement(root, "Period", {"id": "0", "start": "PT0S"})
    groups = _by_codec(plan)
    for number, renditions in enumerate(groups):
        _video_set(period, number, plan, renditions, video, target_s)
    for number, track in enumerate(plan.audio, start=len(groups)):
        default = (plan.downmix_of(track) or track).default
        _audio_set(period, number, track, others[track.name], target_s, default=default)
    for number, text in enumerate(plan.subtitles, start=len(groups) + len(plan.audio)):
        _subtitle_set(period, number, text, others[text.name], target_s)
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _by_codec(plan: Plan) -> list[list[Rendition]]:
    """Within a set a player switches freely, so that each codec has one of its own (5.3.3.1); in
    the order in which the plan names them first."""
    groups: dict[str, list[Rendition]] = {}
    for rendition in plan.video.renditions:
        groups.setdefault(rendition.codec, []).append(rendition)
    return list(groups.values())


def _video_set(
    period: ET.Element,
    number: int,
    plan: Plan,
    renditions: Sequence[Rendition],
    video: Mapping[str, Track],
    target_s: int,
) -> None:
    """Renditions of one codec, which share one grid; so one timeline is that of all."""
    adaptation = _adaptation_set(period, number, "video", None)
    _template(adaptation, _video_timescale(plan), video[renditions[0].name])
    for rendition in renditions:
        track = video[rendition.name]
        ET.SubElement(
            adaptation,
            "Representation",
            {
                "id": rendition.name,
                "codecs": track.codecs,
                "bandwidth": str(rates.peak_bps(track, target_s)),
                "width": str(rendition.width),
                "height": str(rendition.height),
                "frameRate": str(plan.frame_rate.value),
                "sar": "1:1",
            },
        )


def _audio_set(
    period: ET.Element,
    number: int,
    planned: AudioTrack,
    track: Track,
    target_s: int,
    *,
    default: bool,
) -> None:
    adaptation = _adaptation_set(period, number, "audio", planned.language_tag)
    role = "main" if default else "alternate"
    ET.SubElement(adaptation, "Role", {"schemeIdUri": _ROLE, "value": role})
    _template(adaptation, planned.sample_rate_hz, track)
    representation = ET.SubElement(
        adaptation,
        "Representation",
        {
            "id": planned.name,
            "codecs": track.codecs,
            "bandwidth": str(rates.peak_bps(track, target_s)),
            "audioSamplingRate": str(planned.sample_rate_hz),
        },
    )
    channels = {"schemeIdUri": _AUDIO_CHANNELS, "value": str(planned.channels)}
    ET.SubElement(representation, "AudioChannelConfiguration", channels)


def _subtitle_set(
    period: ET.Element, number: int, planned: SubtitleTrack, track: Track, target_s: int
) -> None:
    """The whole track as one file, which every player of WebVTT can read."""
    attributes = {"id": str(number), "contentType": "text", "mimeType": "text/vtt"}
    if planned.language_tag:
        attributes["lang"] = planned.language_tag
    adaptation = ET.SubElement(period, "AdaptationSet", attributes)
    role = "forced-subtitle" if planned.forced else "subtitle"
    ET.SubElement(adaptation, "Role", {"schemeIdUri": _ROLE, "value": role})
    described = {"id": planned.name, "bandwidth": str(rates.peak_bps(track, target_s))}
    representation = ET.SubElement(adaptation, "Representation", described)
    ET.SubElement(representation, "BaseURL").text = f"{planned.name}/{_WHOLE_SUBTITLES}"


def _adaptation_set(
    period: ET.Element, number: int, content: str, language: str | None
) -> ET.Element:
    attributes = {"id": str(number), "contentType": content, "mimeType": f"{content}/mp4"}
    if language:
        attributes["lang"] = language
    attributes |= {"segmentAlignment": "true", "startWithSAP": "1"}
    return ET.SubElement(period, "AdaptationSet", attributes)


def _template(adaptation: ET.Element, timescale: int, track: Track) -> None:
    """5.3.9.6: every segment's exact duration, equal ones in one line. Times are whole ticks,
    because the timescale is a multiple of the frame rate's or the sampling rate."""
    template = ET.SubElement(
        adaptation,
        "SegmentTemplate",
        {
            "timescale": str(timescale),
            "initialization": "$RepresentationID$/init.mp4",
            "media": "$RepresentationID$/$Number%05d$.m4s",
            "startNumber": "0",
        },
    )
    timeline = ET.SubElement(template, "SegmentTimeline")
    for ticks, count in _runs(segment.duration_s * timescale for segment in track.segments):
        attributes = {"t": "0"} if len(timeline) == 0 else {}
        attributes["d"] = str(ticks)
        if count > 1:
            attributes["r"] = str(count - 1)
        ET.SubElement(timeline, "S", attributes)


def _runs(durations: Iterable[Fraction]) -> Iterable[tuple[int, int]]:
    for ticks, run in groupby(durations):
        yield int(ticks), sum(1 for _ in run)


def _video_timescale(plan: Plan) -> int:
    """Ticks per second in the media files: the rate's numerator, doubled until fine enough."""
    timescale = plan.frame_rate.num
    while timescale < _LEAST_TIMESCALE:
        timescale *= 2
    return timescale


def _duration(seconds: Fraction) -> str:
    """xs:duration."""
    return f"PT{float(seconds):.6f}S"
