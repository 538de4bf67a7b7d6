from __future__ import annotations

import xml.etree.ElementTree as ET
from fractions import Fraction
from typing import Any

import pytest

from millrace import dash, hls, ladder, media, plan
from millrace.outputs import Segment, Track
from millrace.plan import Plan
from tests.unit.core.fake_engine import probe_result

FULL, TAIL = Fraction(120 * 1001, 30_000), Fraction(30 * 1001, 30_000)


def made_plan(languages: tuple[str, ...] = ("deu",), **source: Any) -> Plan:
    source = {"duration_s": 9.0, "width": 640, "height": 360, **source}
    result = probe_result(audio=len(languages), frame_rate=(30000, 1001), **source)
    for stream, language in zip(result["audio"], languages, strict=True):
        stream["language"] = language
    return plan.make(media.parse(result), chunk_segments=2, preset="veryfast")


def pictures(*durations: Fraction) -> Track:
    return Track("avc1.64001e", 0, tuple(Segment(100_100, duration) for duration in durations))


def sound(*frames: int) -> Track:
    segments = (Segment(48_000, Fraction(1024 * count, 48_000)) for count in frames)
    return Track("mp4a.40.2", 0, tuple(segments))


def test_every_line_is_as_expected_when_a_manifest_is_written() -> None:
    video, audio = {"360p": pictures(FULL, FULL, TAIL)}, {"audio-0": sound(188, 187, 187)}
    assert dash.manifest(made_plan(), video, audio) == (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" '
        'profiles="urn:mpeg:dash:profile:isoff-live:2011" type="static" '
        'mediaPresentationDuration="PT11.989333S" minBufferTime="PT4.010667S">\n'
        '  <Period id="0" start="PT0S">\n'
        '    <AdaptationSet id="0" contentType="video" mimeType="video/mp4" '
        'segmentAlignment="true" startWithSAP="1">\n'
        '      <SegmentTemplate timescale="30000" initialization="$RepresentationID$/init.mp4" '
        'media="$RepresentationID$/$Number%05d$.m4s" startNumber="0">\n'
        "        <SegmentTimeline>\n"
        '          <S t="0" d="120120" r="1" />\n'
        '          <S d="30030" />\n'
        "        </SegmentTimeline>\n"
        "      </SegmentTemplate>\n"
        '      <Representation id="360p" codecs="avc1.64001e" bandwidth="320000" width="640" '
        'height="360" frameRate="30000/1001" sar="1:1" />\n'
        "    </AdaptationSet>\n"
        '    <AdaptationSet id="1" contentType="audio" mimeType="audio/mp4" lang="deu" '
        'segmentAlignment="true" startWithSAP="1">\n'
        '      <Role schemeIdUri="urn:mpeg:dash:role:2011" value="main" />\n'
        '      <SegmentTemplate timescale="48000" initialization="$RepresentationID$/init.mp4" '
        'media="$RepresentationID$/$Number%05d$.m4s" startNumber="0">\n'
        "        <SegmentTimeline>\n"
        '          <S t="0" d="192512" />\n'
        '          <S d="191488" r="1" />\n'
        "        </SegmentTimeline>\n"
        "      </SegmentTemplate>\n"
        '      <Representation id="audio-0" codecs="mp4a.40.2" bandwidth="96257" '
        'audioSamplingRate="48000">\n'
        "        <AudioChannelConfiguration "
        'schemeIdUri="urn:mpeg:dash:23003:3:audio_channel_configuration:2011" value="2" />\n'
        "      </Representation>\n"
        "    </AdaptationSet>\n"
        "  </Period>\n"
        "</MPD>\n"
    )


def test_languages_and_roles_are_told_apart_when_there_are_several_tracks() -> None:
    audio = {f"audio-{n}": sound(188) for n in range(3)}
    text = dash.manifest(made_plan(("eng", "und", 'x"<&')), {"360p": pictures(FULL)}, audio)
    sets = [found for found in ET.fromstring(text).iter() if found.tag.endswith("AdaptationSet")]
    assert [found.get("lang") for found in sets] == [None, "eng", None, None]
    roles = [found.get("value") for found in ET.fromstring(text).iter() if "Role" in found.tag]
    assert roles == ["main", "alternate", "alternate"]


@pytest.mark.parametrize("rate", [(24000, 1001), (25, 1), (9, 8), (1, 1), (60000, 1001), (997, 83)])
def test_times_are_whole_ticks_when_the_frame_rate_is(rate: tuple[int, int]) -> None:
    result = probe_result(duration_s=30, width=640, height=360, audio=0, frame_rate=rate)
    the_plan = plan.make(media.parse(result), chunk_segments=2, preset="veryfast")
    durations = [the_plan.segment_s] * 999 + [1 / the_plan.frame_rate.value]
    text = dash.manifest(the_plan, {"360p": pictures(*durations)}, {})
    (template,) = (found for found in ET.fromstring(text).iter() if found.get("timescale"))
    timescale = int(template.attrib["timescale"])
    assert timescale >= 10_000
    ticks = sum(
        int(found.attrib["d"]) * (int(found.get("r", 0)) + 1)
        for found in template.iter()
        if found.get("d")
    )
    assert Fraction(ticks, timescale) == sum(durations)


def test_each_codec_has_a_set_of_its_own_when_there_are_several() -> None:
    info = media.parse(probe_result(width=854, height=480, audio=1))
    rungs = ladder.LADDERS["multi"]
    the_plan = plan.make(info, chunk_segments=2, preset="veryfast", rungs=rungs)
    video = {r.name: pictures(FULL) for r in the_plan.video.renditions}
    root = ET.fromstring(dash.manifest(the_plan, video, {"audio-0": sound(188)}))
    sets = root.findall(".//{*}AdaptationSet")
    assert [found.attrib["id"] for found in sets] == ["0", "1", "2", "3"]
    assert [
        [each.attrib["id"] for each in found.iterfind("{*}Representation")] for found in sets
    ] == [
        ["480p", "360p"],
        ["480p-hevc", "360p-hevc"],
        ["480p-av1", "360p-av1"],
        ["audio-0"],
    ]


def test_there_is_a_manifest_when_the_video_is_finished_and_none_while_it_grows() -> None:
    chunks, audio = {0: {"360p": pictures(FULL, FULL)}}, {0: {"audio-0": sound(188, 187)}}
    growing = hls.render(made_plan(), chunks, audio, final=False)
    final = hls.render(made_plan(), chunks, audio, final=True)
    assert growing is not None
    assert final is not None
    assert "manifest.mpd" not in growing.files
    assert final.files["manifest.mpd"] == dash.manifest(made_plan(), chunks[0], audio[0])
