from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from millrace import hls, ladder, media, outputs, plan
from millrace.errors import PermanentError, Reason
from millrace.outputs import Collector, Segment, Track
from millrace.plan import Container, Plan
from tests.unit.core.fake_engine import probe_result

FOUR = Fraction(4)


def made_plan(**source: Any) -> Plan:
    source = {"duration_s": 30.0, "width": 640, "height": 360, **source}
    return plan.make(media.parse(probe_result(**source)), chunk_segments=2, preset="veryfast")


def track(first: int, durations: list[Fraction], size: int = 100_000, codecs: str = "v") -> Track:
    return Track(codecs, first, tuple(Segment(size, duration) for duration in durations))


def chunk(index: int, durations: list[Fraction] | None = None, **more: Any) -> dict[str, Track]:
    return {"360p": track(2 * index, durations or [FOUR, FOUR], **more)}


def sound(count: int = 8, name: str = "audio-0") -> dict[str, Track]:
    return {name: track(0, [Fraction(192_512, 48_000)] * count, 64_000, "mp4a.40.2")}


def lines(playlists: hls.Playlists | None, path: str) -> list[str]:
    assert playlists is not None
    return playlists.files[path].splitlines()


def uris(playlists: hls.Playlists | None, path: str) -> list[str]:
    return [line for line in lines(playlists, path) if not line.startswith("#")]


def attribute(line: str, name: str) -> str:
    return line.split(f"{name}=", 1)[1].split(",")[0]


@pytest.mark.parametrize(
    ("chunks", "audio"), [({}, {}), ({0: chunk(0)}, {}), ({}, {0: sound()}), ({1: chunk(1)}, {})]
)
def test_nothing_is_playable_when_head_or_audio_is_missing(chunks: Any, audio: Any) -> None:
    assert hls.render(made_plan(), chunks, audio, final=False) is None


def test_only_the_contiguous_run_is_named_when_chunks_finish_out_of_order() -> None:
    made = hls.render(made_plan(), {0: chunk(0), 2: chunk(2)}, {0: sound()}, final=False)
    assert uris(made, "360p/index.m3u8") == ["00000.m4s", "00001.m4s"]


def test_playlist_only_grows_at_its_end_when_chunks_are_added() -> None:
    before, texts = "", []
    done: dict[int, dict[str, Track]] = {}
    for index in (0, 1, 2, 3):
        done[index] = chunk(index)
        made = hls.render(made_plan(), done, {0: sound()}, final=False)
        assert made is not None
        text = made.files["360p/index.m3u8"]
        assert text.startswith(before)
        before = text
        texts.append(text)
    assert len(set(texts)) == 4


def test_audio_reaches_as_far_as_the_pictures_when_the_playlist_grows() -> None:
    made = hls.render(made_plan(), {0: chunk(0)}, {0: sound()}, final=False)
    assert uris(made, "audio-0/index.m3u8") == ["00000.m4s", "00001.m4s"]
    made = hls.render(made_plan(), {n: chunk(n) for n in range(4)}, {0: sound()}, final=True)
    assert len(uris(made, "audio-0/index.m3u8")) == 8


def test_playlist_is_event_when_growing_and_vod_at_the_end() -> None:
    growing = lines(
        hls.render(made_plan(), {0: chunk(0)}, {0: sound()}, final=False), "360p/index.m3u8"
    )
    assert "#EXT-X-PLAYLIST-TYPE:EVENT" in growing
    assert "#EXT-X-START:TIME-OFFSET=0,PRECISE=YES" in growing
    assert "#EXT-X-ENDLIST" not in growing
    final = lines(
        hls.render(made_plan(), {n: chunk(n) for n in range(4)}, {0: sound()}, final=True),
        "360p/index.m3u8",
    )
    assert "#EXT-X-PLAYLIST-TYPE:VOD" in final
    assert final[-1] == "#EXT-X-ENDLIST"
    assert "#EXT-X-START:TIME-OFFSET=0,PRECISE=YES" not in final


def test_media_playlist_is_written_before_the_master_that_names_it() -> None:
    made = hls.render(made_plan(), {0: chunk(0)}, {0: sound()}, final=False)
    assert made is not None
    assert list(made.files)[-1] == "master.m3u8"
    assert set(uris(made, "master.m3u8")) | {"audio-0/index.m3u8"} < set(made.files)


def test_every_line_is_as_expected_when_a_video_is_finished() -> None:
    tail = {3: chunk(3, [FOUR, Fraction(2)])}
    made = hls.render(
        made_plan(), {**{n: chunk(n) for n in range(3)}, **tail}, {0: sound()}, final=True
    )
    assert lines(made, "360p/index.m3u8")[:9] == [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        "#EXT-X-TARGETDURATION:4",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        '#EXT-X-MAP:URI="init.mp4"',
        "#EXTINF:4.000000,",
        "00000.m4s",
    ]
    assert lines(made, "360p/index.m3u8")[-3:] == [
        "#EXTINF:2.000000,",
        "00007.m4s",
        "#EXT-X-ENDLIST",
    ]
    assert lines(made, "master.m3u8") == [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="audio-0",DEFAULT=YES,AUTOSELECT=YES,'
        'CHANNELS="2",URI="audio-0/index.m3u8"',
        "#EXT-X-STREAM-INF:BANDWIDTH=527660,AVERAGE-BANDWIDTH=340994,"
        'CODECS="v,mp4a.40.2",RESOLUTION=640x360,FRAME-RATE=25.000,VIDEO-RANGE=SDR,'
        'CLOSED-CAPTIONS=NONE,AUDIO="audio"',
        "360p/index.m3u8",
    ]


@pytest.mark.parametrize(
    ("rate", "target"),
    [((25, 1), 4), ((30000, 1001), 4), ((24000, 1001), 4), ((9, 8), 4), ((1, 1), 4), ((89, 80), 4)],
)
def test_target_duration_follows_from_the_plan_when_the_frame_rate_is(
    rate: tuple[int, int], target: int
) -> None:
    the_plan = made_plan(frame_rate=rate)
    rounded = int(the_plan.segment_s + Fraction(1024, 48_000) + Fraction(1, 2))
    segments = [the_plan.segment_s] * 2
    for done in (1, 2):
        chunks = {n: chunk(n, segments) for n in range(done)}
        made = lines(hls.render(the_plan, chunks, {0: sound()}, final=False), "360p/index.m3u8")
        assert f"#EXT-X-TARGETDURATION:{max(target, rounded)}" in made


def test_target_duration_covers_the_longest_segment_when_one_is_longer_than_planned() -> None:
    chunks = {0: chunk(0, [FOUR, Fraction(55, 10)])}
    made = lines(hls.render(made_plan(audio=0), chunks, {}, final=True), "360p/index.m3u8")
    assert "#EXT-X-TARGETDURATION:6" in made


def test_bandwidth_is_at_least_every_segments_rate_when_one_stands_out() -> None:
    loud = {"360p": Track("v", 0, (Segment(100_000, FOUR), Segment(400_000, FOUR)))}
    made = hls.render(made_plan(audio=0), {0: loud}, {}, final=True)
    (line,) = (line for line in lines(made, "master.m3u8") if "STREAM-INF" in line)
    assert int(attribute(line, "BANDWIDTH")) == 800_000
    assert int(attribute(line, "AVERAGE-BANDWIDTH")) == 500_000


def test_bandwidth_ignores_a_short_rest_when_it_is_a_single_key_frame() -> None:
    segments = (Segment(100_000, FOUR), Segment(50_000, Fraction(1, 25)))
    made = hls.render(made_plan(audio=0), {0: {"360p": Track("v", 0, segments)}}, {}, final=True)
    (line,) = (line for line in lines(made, "master.m3u8") if "STREAM-INF" in line)
    # Together with the segment before it the rest counts, by itself (10 Mb/s) it does not.
    assert int(attribute(line, "BANDWIDTH")) == -(-8 * 150_000 * 25 // 101)


def test_bandwidth_is_what_it_is_when_the_whole_video_is_one_frame() -> None:
    segments = (Segment(5_000, Fraction(1, 25)),)
    made = hls.render(made_plan(audio=0), {0: {"360p": Track("v", 0, segments)}}, {}, final=True)
    (line,) = (line for line in lines(made, "master.m3u8") if "STREAM-INF" in line)
    assert int(attribute(line, "BANDWIDTH")) == 1_000_000


def test_bandwidth_allows_for_what_is_to_come_when_the_playlist_grows() -> None:
    made = hls.render(made_plan(audio=0), {0: chunk(0)}, {}, final=False)
    (line,) = (line for line in lines(made, "master.m3u8") if "STREAM-INF" in line)
    assert int(attribute(line, "BANDWIDTH")) == 800_000 + 1_200_000 // 4


def test_start_variant_is_one_most_connections_carry_when_there_are_several() -> None:
    the_plan = made_plan(width=1920, height=1080, audio=0)
    tracks = {r.name: track(0, [FOUR, FOUR]) for r in the_plan.video.renditions}
    made = hls.render(the_plan, {0: tracks}, {}, final=False)
    assert uris(made, "master.m3u8") == [
        "720p/index.m3u8",
        "1080p/index.m3u8",
        "480p/index.m3u8",
        "360p/index.m3u8",
    ]


def text(count: int = 8) -> dict[str, Track]:
    return {"subtitles-0": track(0, [FOUR] * count, 300, "wvtt")}


def test_playing_does_not_wait_when_subtitles_are_not_made_yet() -> None:
    the_plan = made_plan(subtitles=2)
    second = {"subtitles-1": text()["subtitles-0"]}
    made = hls.render(the_plan, {0: chunk(0)}, {0: sound()}, {1: second}, final=False)
    master = "\n".join(lines(made, "master.m3u8"))
    assert master.count("TYPE=SUBTITLES") == 1
    assert 'URI="subtitles-1/index.m3u8"' in master
    assert made is not None
    assert "subtitles-0/index.m3u8" not in made.files
    none = hls.render(the_plan, {0: chunk(0)}, {0: sound()}, {}, final=False)
    assert "SUBTITLES" not in "\n".join(lines(none, "master.m3u8"))


def test_pictures_reach_as_far_as_the_sound_when_that_still_grows() -> None:
    the_plan = made_plan(audio=2)
    chunks, grown = {0: chunk(0), 1: chunk(1)}, {1: sound(3, "audio-1")}
    made = hls.render(the_plan, chunks, {0: sound()}, growing_audio=grown, final=False)
    for path in ("360p/index.m3u8", "audio-0/index.m3u8", "audio-1/index.m3u8"):
        assert len(uris(made, path)) == 3, path
    assert hls.render(the_plan, chunks, {0: sound()}, final=False) is None


def test_pictures_go_on_when_the_chunk_after_the_last_one_grows() -> None:
    the_plan, half = made_plan(), chunk(1, [FOUR])
    made = hls.render(the_plan, {0: chunk(0)}, {0: sound()}, growing_chunks={1: half}, final=False)
    assert uris(made, "360p/index.m3u8") == ["00000.m4s", "00001.m4s", "00002.m4s"]
    later = hls.render(the_plan, {0: chunk(0)}, {0: sound()}, growing_chunks={2: half}, final=False)
    assert uris(later, "360p/index.m3u8") == ["00000.m4s", "00001.m4s"]


def test_subtitles_reach_as_far_as_the_pictures_when_the_playlist_grows() -> None:
    the_plan = made_plan(subtitles=1)
    made = hls.render(the_plan, {0: chunk(0)}, {0: sound()}, {0: text()}, final=False)
    assert uris(made, "subtitles-0/index.m3u8") == ["00000.vtt", "00001.vtt"]
    assert not [line for line in lines(made, "subtitles-0/index.m3u8") if "EXT-X-MAP" in line]
    master = lines(made, "master.m3u8")
    assert (
        '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="subtitles",NAME="eng",LANGUAGE="eng",DEFAULT=YES,'
        'AUTOSELECT=YES,FORCED=NO,URI="subtitles-0/index.m3u8"'
    ) in master
    variant = next(line for line in master if line.startswith("#EXT-X-STREAM-INF"))
    assert variant.endswith(',AUDIO="audio",SUBTITLES="subtitles"')


def test_old_players_are_served_when_the_segments_are_transport_streams() -> None:
    the_plan = replace(made_plan(), container=Container.MPEG_TS)
    made = hls.render(the_plan, {0: chunk(0)}, {0: sound()}, final=True)
    assert lines(made, "360p/index.m3u8")[1] == "#EXT-X-VERSION:3"
    assert uris(made, "360p/index.m3u8") == ["00000.ts", "00001.ts"]
    assert made is not None
    assert "manifest.mpd" not in made.files
    assert "EXT-X-MAP" not in "".join(made.files.values())


@pytest.mark.parametrize(
    ("name", "first"), [("multi", "480p/index.m3u8"), ("av1", "480p/index.m3u8")]
)
def test_every_codec_is_listed_after_one_to_start_with_when_there_are_several(
    name: str, first: str
) -> None:
    info = media.parse(probe_result(width=854, height=480, audio=0))
    rungs = sorted(ladder.LADDERS[name], key=lambda rung: rung.codec)  # AV1 comes first
    the_plan = plan.make(info, chunk_segments=2, preset="veryfast", rungs=rungs)
    tracks = {r.name: track(0, [FOUR], codecs=r.codec) for r in the_plan.video.renditions}
    made = hls.render(the_plan, {0: tracks}, {}, final=True)
    listed = uris(made, "master.m3u8")
    assert listed[0] == first
    assert sorted(listed) == sorted(hls.media_path(name) for name in tracks)
    codecs = [
        attribute(line, "CODECS").strip('"')
        for line in lines(made, "master.m3u8")
        if line.startswith("#EXT-X-STREAM-INF")
    ]
    assert codecs == [
        next(r.codec for r in the_plan.video.renditions if hls.media_path(r.name) == uri)
        for uri in listed
    ]


def test_there_is_no_audio_group_when_there_is_no_audio() -> None:
    made = hls.render(made_plan(audio=0), {0: chunk(0)}, {}, final=False)
    assert "AUDIO" not in "\n".join(lines(made, "master.m3u8"))


def test_audio_names_are_unique_when_two_tracks_share_a_language() -> None:
    result = probe_result(duration_s=30, width=640, height=360, audio=3)
    for stream, language in zip(result["audio"], ("eng", "eng", 'de"u\nX'), strict=True):
        stream["language"] = language
    the_plan = plan.make(media.parse(result), chunk_segments=2, preset="veryfast")
    audio = {n: sound(name=f"audio-{n}") for n in range(3)}
    made = lines(hls.render(the_plan, {0: chunk(0)}, audio, final=False), "master.m3u8")
    names = [attribute(line, "NAME") for line in made if "EXT-X-MEDIA" in line]
    assert names == ['"eng (0)"', '"eng (1)"', '"audio-2"']  # no tag, so no language
    assert ["LANGUAGE" in line for line in made if "EXT-X-MEDIA" in line] == [True, True, False]
    assert [attribute(line, "DEFAULT") for line in made if "EXT-X-MEDIA" in line] == [
        "YES",
        "NO",
        "NO",
    ]


def framed(first: int, sizes: list[int], count: int = 2) -> dict[str, Track]:
    segments = tuple(Segment(100_000, FOUR, size) for size in sizes)
    return {"360p": Track("v", first, segments[:count])}


def iframe_lines(playlists: hls.Playlists | None) -> list[str]:
    return [line for line in lines(playlists, "master.m3u8") if "I-FRAME-STREAM" in line]


def test_iframe_playlist_names_each_segments_beginning_when_a_video_is_finished() -> None:
    chunks = {0: framed(0, [10_000, 20_000]), 1: framed(2, [30_000], 1)}
    made = hls.render(made_plan(audio=0), chunks, {}, final=True)
    assert lines(made, "360p/iframes.m3u8") == [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        "#EXT-X-TARGETDURATION:4",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        "#EXT-X-I-FRAMES-ONLY",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        '#EXT-X-MAP:URI="init.mp4"',
        "#EXTINF:4.000000,",
        "#EXT-X-BYTERANGE:10000@0",
        "00000.m4s",
        "#EXTINF:4.000000,",
        "#EXT-X-BYTERANGE:20000@0",
        "00001.m4s",
        "#EXTINF:4.000000,",
        "#EXT-X-BYTERANGE:30000@0",
        "00002.m4s",
        "#EXT-X-ENDLIST",
    ]
    assert iframe_lines(made) == [
        '#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=60000,AVERAGE-BANDWIDTH=40000,CODECS="v",'
        'RESOLUTION=640x360,VIDEO-RANGE=SDR,URI="360p/iframes.m3u8"'
    ]


def test_iframe_playlist_grows_like_the_others_when_chunks_are_added() -> None:
    first = {0: framed(0, [10_000, 20_000])}
    growing = hls.render(made_plan(audio=0), first, {}, final=False)
    assert "#EXT-X-PLAYLIST-TYPE:EVENT" in lines(growing, "360p/iframes.m3u8")
    assert "#EXT-X-START:TIME-OFFSET=0,PRECISE=YES" in lines(growing, "360p/iframes.m3u8")
    # What is to come may fill the encoder's buffer with each I-frame.
    assert int(attribute(iframe_lines(growing)[0], ":BANDWIDTH")) == 1_200_000 // 4
    both = hls.render(made_plan(audio=0), {**first, 1: framed(2, [5, 6])}, {}, final=False)
    assert growing is not None
    assert both is not None
    before, after = (made.files["360p/iframes.m3u8"] for made in (growing, both))
    assert after.startswith(before)
    assert after.count("#EXTINF") == 4


@pytest.mark.parametrize("final", [False, True])
def test_there_is_no_iframe_playlist_when_a_chunk_does_not_tell_its_iframes(final: bool) -> None:
    chunks = {0: framed(0, [10_000, 20_000]), 1: chunk(1)}
    made = hls.render(made_plan(audio=0), chunks, {}, final=final)
    assert made is not None
    assert "360p/iframes.m3u8" not in made.files
    assert iframe_lines(made) == []
    assert uris(made, "360p/index.m3u8") == [f"0000{n}.m4s" for n in range(4)]


def test_every_file_is_among_the_paths_to_withdraw_when_all_there_is_was_written() -> None:
    the_plan = made_plan(audio=2)
    audio = {n: sound(name=f"audio-{n}") for n in range(2)}
    made = hls.render(the_plan, {0: framed(0, [1, 2])}, audio, final=True)
    assert made is not None
    assert sorted(hls.paths(the_plan)) == sorted(made.files)
    assert next(hls.paths(the_plan)) == "master.m3u8"


def test_output_reads_back_when_durations_change() -> None:
    for iframes in ([None] * 3, [70_000, 1, 65_536]):
        durations = (FOUR, FOUR, Fraction(1001, 250))
        rows = zip((0, 100_000, 16_777_216), durations, iframes, strict=True)
        before = Track("v", 16, tuple(Segment(*row) for row in rows))
        stored = json.loads(json.dumps(before.to_json()))
        assert outputs.track_from_json(stored) == before


def test_output_reads_back_when_it_has_no_segment() -> None:
    before = Track("v", 8, ())
    assert outputs.track_from_json(json.loads(json.dumps(before.to_json()))) == before
    assert not before.has_iframes


def test_output_reads_back_when_it_was_written_as_hexadecimal_words() -> None:
    stored = {
        "codecs": "v",
        "first": 4,
        "sizes": "186a0 1 ff",
        "durations": [[4, 1, 2], [1, 25, 1]],
    }
    assert outputs.track_from_json(stored) == Track(
        "v", 4, (Segment(100_000, FOUR), Segment(1, FOUR), Segment(255, Fraction(1, 25)))
    )


def test_output_fits_an_item_when_the_longest_video_is_one_chunk() -> None:
    segments = tuple(Segment(2_700_000 + n, FOUR, 400_000 + n) for n in range(10_800))
    stored = {"tracks": {n: Track("avc1.640028", 0, segments).to_json() for n in "1234"}}
    assert len(json.dumps(stored)) < 380_000


def line(kind: str, index: int = 0, name: str = "360p") -> dict[str, Any]:
    if kind == "init":
        return {"type": "init", "rendition": name, "codecs": "v"}
    duration = {"num": 100, "den": 25}
    return {"type": kind, "rendition": name, "index": index, "bytes": 5, "duration": duration}


def collected(*indexes: int, init: bool = True, name: str = "360p") -> Collector:
    collector = Collector()
    if init:
        collector.add(line("init", name=name))
    for index in indexes:
        collector.add(line("segment", index, name))
    return collector


def test_iframes_are_kept_when_the_engine_tells_them() -> None:
    collector = collected(0)
    collector.add({**line("segment", 1), "iframe_bytes": 4})
    segments = collector.tracks(["360p"], 0, 2)["360p"].segments
    assert [segment.iframe_bytes for segment in segments] == [None, 4]


def test_tracks_are_complete_when_segments_came_in_any_order_and_twice() -> None:
    tracks = collected(3, 2, 3).tracks(["360p"], 2, 2)
    assert [s.duration_s for s in tracks["360p"].segments] == [FOUR, FOUR]


@pytest.mark.parametrize(
    ("collector", "first", "count", "reason"),
    [
        (collected(2, 3, init=False), 2, 2, Reason.INTERNAL),
        (collected(2, 4), 2, 2, Reason.INTERNAL),
        (collected(1, 2), 2, 2, Reason.INTERNAL),
        (collected(2, 3, 4), 2, 2, Reason.INTERNAL),
        (collected(2), 2, 2, Reason.CORRUPT),
        (collected(), 0, None, Reason.INTERNAL),
    ],
)
def test_task_fails_when_its_segments_are(
    collector: Collector, first: int, count: int | None, reason: Reason
) -> None:
    with pytest.raises(PermanentError) as caught:
        collector.tracks(["360p"], first, count)
    assert caught.value.reason is reason


def test_task_fails_when_renditions_are_of_unequal_length() -> None:
    collector = collected(0, 1)
    collector.add(line("init", name="480p"))
    collector.add(line("segment", 0, "480p"))
    with pytest.raises(PermanentError, match="unequal"):
        collector.tracks(["360p", "480p"], 0, None)


def test_last_chunk_may_be_empty_when_the_container_promised_too_much() -> None:
    assert collected().tracks(["360p"], 8, None)["360p"].segments == ()
