"""Checks a DASH manifest (ISO/IEC 23009-1) against the segments that the playlists name."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from fractions import Fraction

from tests.harness import webvtt
from tests.harness.conformance import Presentation, Read, Track, peak_bps

_NAMESPACE = {"": "urn:mpeg:dash:schema:mpd:2011"}
_ROUNDING_S = Fraction(1, 1_000_000)


def check_dash(read: Read, presentation: Presentation) -> None:
    """Check `manifest.mpd`: it offers the tracks of `presentation`, segment by segment.

    Args:
        presentation: what `check_hls` found sound.
    """
    root = ET.fromstring(read("manifest.mpd"))
    assert root.get("type") == "static"
    assert "urn:mpeg:dash:profile:isoff-live:2011" in root.attrib["profiles"]
    tracks = {
        path.rpartition("/")[0]: track
        for path, track in [*presentation.video.items(), *presentation.audio.items()]
    }
    length_s = max(track.length_s for track in tracks.values())
    assert abs(_seconds(root.attrib["mediaPresentationDuration"]) - length_s) <= _ROUNDING_S
    longest_s = max(max(track.durations) for track in tracks.values())
    assert _seconds(root.attrib["minBufferTime"]) >= longest_s - _ROUNDING_S
    (period,) = root.findall("Period", _NAMESPACE)
    sets = period.findall("AdaptationSet", _NAMESPACE)
    kinds = [found.attrib["contentType"] for found in sets]
    codecs = {track.init.codecs.partition(".")[0] for track in presentation.video.values()}
    texts = len(presentation.subtitles)
    assert kinds == ["video"] * len(codecs) + ["audio"] * len(presentation.audio) + ["text"] * texts
    assert len({found.attrib["id"] for found in sets}) == len(sets)
    media, text_sets = sets[: len(sets) - texts], sets[len(sets) - texts :]
    offered = [name for found in media for name in _check_set(read, found, tracks)]
    assert sorted(offered) == sorted(tracks), "every track is offered once"
    whole = [_check_text_set(read, found) for found in text_sets]
    assert whole == [path.rpartition("/")[0] for path in presentation.subtitles]


def _check_text_set(read: Read, found: ET.Element) -> str:
    """5.3.7.2, and a file that holds the whole track."""
    assert found.attrib["mimeType"] == "text/vtt", found.attrib["mimeType"]
    (role,) = found.findall("Role", _NAMESPACE)
    assert role.attrib["value"] in ("subtitle", "forced-subtitle")
    (representation,) = found.findall("Representation", _NAMESPACE)
    assert int(representation.attrib["bandwidth"]) > 0
    (base,) = representation.findall("BaseURL", _NAMESPACE)
    assert base.text is not None
    webvtt.read(read(base.text))
    return representation.attrib["id"]


def _seconds(duration: str) -> Fraction:
    match = re.fullmatch(r"PT(\d+(?:\.\d+)?)S", duration)
    assert match, duration
    return Fraction(match.group(1))


def _check_set(read: Read, found: ET.Element, tracks: dict[str, Track]) -> list[str]:
    kind = found.attrib["contentType"]
    assert found.attrib["mimeType"] == f"{kind}/mp4"
    assert found.attrib["segmentAlignment"] == "true"
    assert found.attrib["startWithSAP"] == "1"
    (template,) = found.findall("SegmentTemplate", _NAMESPACE)
    names = []
    for representation in found.findall("Representation", _NAMESPACE):
        name = representation.attrib["id"]
        _check_segments(read, template, name, tracks[name])
        _check_representation(representation, kind, tracks[name])
        names.append(name)
    codecs = {tracks[name].init.codecs.partition(".")[0] for name in names}
    assert len(codecs) == 1, f"codecs {codecs} in one AdaptationSet, 5.3.3.1"
    return names


def _check_segments(read: Read, template: ET.Element, name: str, track: Track) -> None:
    """5.3.9.4.4, 5.3.9.6: each number leads to the segment that is shown at its time."""
    timescale = int(template.attrib["timescale"])
    initialization = template.attrib["initialization"].replace("$RepresentationID$", name)
    folder = track.playlist.path.rpartition("/")[0]
    assert initialization == f"{folder}/init.mp4"
    (timeline,) = template.findall("SegmentTimeline", _NAMESPACE)
    times = _times(timeline)
    assert len(times) == len(track.fragments), f"{name}: {len(times)} segments"
    number = int(template.attrib["startNumber"])
    for index, (begin, duration) in enumerate(times):
        uri = template.attrib["media"].replace("$RepresentationID$", name)
        uri = uri.replace("$Number%05d$", f"{number + index:05d}")
        assert uri == f"{folder}/{track.playlist.entries[index].uri}", uri
        assert len(read(uri)) == track.sizes[index], uri
        assert Fraction(begin, timescale) == track.begins[index], f"{uri} at {begin}"
        assert Fraction(duration, timescale) == track.durations[index], f"{uri} for {duration}"


def _times(timeline: ET.Element) -> list[tuple[int, int]]:
    """(begin, duration) of every segment, ticks."""
    times: list[tuple[int, int]] = []
    at = 0
    for run in timeline.findall("S", _NAMESPACE):
        at = int(run.get("t", at))
        duration = int(run.attrib["d"])
        for _ in range(int(run.get("r", "0")) + 1):
            times.append((at, duration))
            at += duration
    return times


def _check_representation(found: ET.Element, kind: str, track: Track) -> None:
    name, init = found.attrib["id"], track.init
    peak = peak_bps(track.sizes, track.durations, track.playlist.target_s)
    assert int(found.attrib["bandwidth"]) >= peak, f"{name}: bandwidth below {math.ceil(peak)}"
    assert found.attrib["codecs"] == init.codecs, name
    if kind == "video":
        size = (int(found.attrib["width"]), int(found.attrib["height"]))
        assert size == (init.width, init.height), name
        assert Fraction(found.attrib["frameRate"]) == track.sample_rate, name
        return
    assert int(found.attrib["audioSamplingRate"]) == init.sample_rate_hz, name
    (channels,) = found.findall("AudioChannelConfiguration", _NAMESPACE)
    assert int(channels.attrib["value"]) == init.channels, name
