"""Every kind of source that users send: what comes of each is known to the frame, or it is refused
with the reason that belongs to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.expectations import EXPECTED, FACTS
from tests.harness import media, sanitized, trial
from tests.harness.sanitized import BOTH, SANITIZED
from tests.harness.trial import Engine, Finished, Made
from tests.media import surgery
from tests.media.matrix import CLIPS, CUTS

pytestmark = pytest.mark.needs_engine
with_both = pytest.mark.parametrize("engine", BOTH, indirect=True)

FLIPPED = (
    *("h264-aac.mp4", "h264-aac.ts", "h264-aac.flv", "h264-aac.mkv", "fragmented.mp4"),
    *("mpeg2-mp2.mpg", "mpeg4-mp3.avi", "vp8-vorbis.webm", "vp9-opus.webm", "prores-pcm.mov"),
    *("h263-aac.3gp", "theora-vorbis.ogv", "wmv2-wma.wmv", "mpeg2-pcm.mxf", "vp8.ivf"),
    *("animation.gif", "hdr10.mp4", "10-bit.mkv", "palette.mov", "8-bit-mono.avi"),
)
TENS_OF_SEEDS = [
    *(("release", tens) for tens in range(6)),
    *(pytest.param(SANITIZED, tens, marks=pytest.mark.exhaustive) for tens in range(20)),
]
"""The build that is shipped is quickly asked for some, the sanitized one for two hundred."""
SOURCES = [name for name in CLIPS if not name.startswith(("cut-", "hundred", "eleven"))]


@with_both
@pytest.mark.parametrize("name", SOURCES)
def test_outcome_is_the_expected_one_when_the_source_is(
    engine: Engine, name: str, tmp_path: Path
) -> None:
    assert trial.go_through(engine, CLIPS[name].path, tmp_path) == EXPECTED[name]


@pytest.mark.parametrize("name", FACTS)
def test_probe_notices_it_when_the_source_is(name: str) -> None:
    kind, expected = FACTS[name]
    stream = Engine("release", {}).run("probe", CLIPS[name].path).last[kind][0]
    assert {fact: stream[fact] for fact in expected} == expected


def test_dolby_vision_is_what_ffprobe_sees_when_its_box_is_patched_in() -> None:
    stream = media.ffprobe(CLIPS["dolby-vision-8.mp4"].path, "-show_streams")["streams"][0]
    record = stream["side_data_list"][0]
    assert (record["dv_profile"], record["dv_bl_signal_compatibility_id"]) == (8, 1)


@with_both
@pytest.mark.parametrize("cut", CUTS)
def test_position_is_that_of_the_first_missing_picture_when_an_mp4_is_cut(
    engine: Engine, cut: int, tmp_path: Path
) -> None:
    name = f"cut-{cut:02}-of-13-h264-aac.mp4"
    end = len(CLIPS[name].content)
    missing = next(
        packet
        for packet in packets(CLIPS["h264-aac.mp4"].path)
        if int(packet["pos"]) + int(packet["size"]) > end
    )
    refused = trial.go_through(engine, CLIPS[name].path, tmp_path)
    assert isinstance(refused, trial.Refused)
    assert (refused.exit_code, refused.code) == (3, "CORRUPT")
    assert refused.position_s == pytest.approx(max(0.0, float(missing["dts_time"])), abs=0.001)


@with_both
@pytest.mark.parametrize("cut", CUTS)
def test_position_is_that_of_the_last_whole_block_when_a_matroska_file_is_cut(
    engine: Engine, cut: int, tmp_path: Path
) -> None:
    path = CLIPS[f"cut-{cut:02}-of-13-h264-aac.mkv"].path
    times = [float(packet["pts_time"]) for packet in packets(path, streams="")]
    refused = trial.go_through(engine, path, tmp_path)
    assert isinstance(refused, trial.Refused)
    assert (refused.exit_code, refused.code) == (3, "CORRUPT")
    assert refused.position_s == pytest.approx(max(times, default=0.0), abs=0.05)


@with_both
@pytest.mark.parametrize("cut", CUTS)
def test_what_is_there_is_used_when_a_transport_stream_is_cut(
    engine: Engine, cut: int, tmp_path: Path
) -> None:
    path = CLIPS[f"cut-{cut:02}-of-13-h264-aac.ts"].path
    shown = [float(frame["pts_time"]) for frame in packets(path, what="frame")]
    made = trial.go_through(engine, path, tmp_path)
    assert isinstance(made, Made)
    assert (made.size, made.rate) == ("160x90", "25")
    assert made.frames == round((max(shown) - min(shown)) * 25) + 1


@pytest.mark.parametrize(("engine", "tens"), TENS_OF_SEEDS, indirect=["engine"])
def test_end_is_in_order_when_bits_are_flipped_with_seeds_from_ten_times(
    engine: Engine, tens: int, tmp_path: Path
) -> None:
    for seed in range(10 * tens, 10 * tens + 10):
        name = FLIPPED[seed % len(FLIPPED)]
        path = tmp_path / f"{seed}-{name}"
        path.write_bytes(surgery.flipped(CLIPS[name].content, seed))
        probed = engine.run("probe", path)
        if probed.exit_code == 0:
            decode(engine, path, probed, tmp_path / str(seed))


def decode(engine: Engine, path: Path, probed: Finished, folder: Path) -> None:
    """Takes all pictures and sounds through the engine; a duration that a flipped bit made long
    is not waited for."""
    plan_file = trial.saved(trial.plan_of(probed), folder)
    limits = ("--max-duration-s", "60")
    engine.run("transcode", path, "--plan", plan_file, "--output", folder / "made", *limits)


@with_both
def test_ends_meet_when_a_film_lasts_eleven_hours(engine: Engine, tmp_path: Path) -> None:
    path = CLIPS["eleven-hours.mp4"].path
    probed = engine.run("probe", path)
    assert probed.last["format"]["duration_s"] == 11 * 3600
    the_plan = trial.plan_of(probed)
    assert the_plan.chunk_count == 1239
    stills = engine.run("thumbnail", path, "--times", "0,20000,39000", "--output", tmp_path)
    assert [image["time_s"] for image in stills.last["images"]] == [0, 21_600, 36_000]
    plan_file = trial.saved(the_plan, tmp_path)
    command = ("transcode", path, "--plan", plan_file, "--output", tmp_path, "--chunk")
    assert engine.run(*command, "0").last["frames"] == 4
    assert engine.run(*command, "1").last["frames"] == 32
    last = engine.run(*command, "1238").last
    assert (last["frames"], last["warnings"]) == (39_600 - 4 - 1237 * 32, [])


@with_both
@pytest.mark.parametrize(("name", "most"), [("hundred.mov", 5), ("hundred.mp4", 5)])
def test_damaged_pictures_are_told_when_five_in_a_hundred_are(
    engine: Engine, name: str, most: int, tmp_path: Path
) -> None:
    made = trial.go_through(engine, with_noise(name, most, tmp_path), tmp_path)
    assert made == Made("64x36", 100, "25", warnings=("DAMAGED_PICTURES",))


@with_both
@pytest.mark.parametrize("name", ["hundred.mov", "hundred.mp4"])
def test_video_is_refused_at_the_first_damaged_picture_when_six_in_a_hundred_are(
    engine: Engine, name: str, tmp_path: Path
) -> None:
    refused = trial.go_through(engine, with_noise(name, 6, tmp_path), tmp_path)
    assert refused == trial.Refused(3, "CORRUPT", position_s=20 / 25)


def with_noise(name: str, count: int, folder: Path) -> Path:
    """`count` pictures from the twentieth on, ten apart, have noise for content."""
    content = CLIPS[name].content
    all_packets = packets(CLIPS[name].path)
    for index in range(20, 20 + 10 * count, 10):
        begin, size = int(all_packets[index]["pos"]), int(all_packets[index]["size"])
        content = surgery.overwritten(content, begin + size // 4, begin + size)
    path = folder / name
    path.write_bytes(content)
    return path


@with_both
@pytest.mark.parametrize(("missing", "frames"), [(1, 99), (5, 95)])
def test_end_is_left_out_with_a_warning_when_up_to_five_pictures_of_a_hundred_are_missing(
    engine: Engine, missing: int, frames: int, tmp_path: Path
) -> None:
    made = trial.go_through(engine, without_end("hundred.mp4", missing, tmp_path), tmp_path)
    assert isinstance(made, Made)
    assert made.frames == frames
    assert "TRUNCATED" in made.warnings


@with_both
def test_video_is_refused_where_it_ends_when_six_pictures_of_a_hundred_are_missing(
    engine: Engine, tmp_path: Path
) -> None:
    refused = trial.go_through(engine, without_end("hundred.mp4", 6, tmp_path), tmp_path)
    assert refused == trial.Refused(3, "CORRUPT", position_s=94 / 25)


@with_both
@pytest.mark.parametrize(("share", "whole"), [(0.96, True), (0.94, False)])
def test_share_of_the_bytes_decides_when_a_matroska_file_is_cut(
    engine: Engine, share: float, whole: bool, tmp_path: Path
) -> None:
    content = CLIPS["hundred.mkv"].content
    path = tmp_path / "cut.mkv"
    path.write_bytes(content[: int(len(content) * share)])
    times = [float(packet["pts_time"]) for packet in packets(path)]
    outcome = trial.go_through(engine, path, tmp_path)
    if whole:
        assert isinstance(outcome, Made)
        assert "TRUNCATED" in outcome.warnings
    else:
        assert isinstance(outcome, trial.Refused)
        assert outcome.code == "CORRUPT"
        assert outcome.position_s == pytest.approx(max(times, default=0.0), abs=0.05)


def without_end(name: str, missing: int, folder: Path) -> Path:
    """The file up to the middle of the first of its last `missing` pictures."""
    packet = packets(CLIPS[name].path)[-missing]
    path = folder / name
    path.write_bytes(CLIPS[name].content[: int(packet["pos"]) + int(packet["size"]) // 2])
    return path


def packets(path: Path, streams: str = "v", what: str = "packet") -> list[dict[str, str]]:
    """The packets (or frames) of the streams in the order of the file; ffprobe's opinion."""
    which = ("-select_streams", streams) if streams else ()
    found: list[dict[str, str]] = media.ffprobe(path, f"-show_{what}s", *which)[f"{what}s"]
    return found


@with_both
def test_nothing_too_large_is_written_when_the_output_is_limited(
    engine: Engine, tmp_path: Path
) -> None:
    source = CLIPS["pts-wrap.ts"].path
    plan_file = trial.saved(trial.plan_of(engine.run("probe", source)), tmp_path)
    command = ("transcode", source, "--plan", plan_file, "--output")
    most = 20_000
    stopped = engine.run(*command, tmp_path / "a", "--max-output-bytes", str(most))
    assert trial.refused(stopped) == trial.Refused(6, "LIMIT_EXCEEDED")
    written = [path.stat().st_size for path in (tmp_path / "a").rglob("*.*")]
    assert 0 < sum(written) <= most
    whole = engine.run(*command, tmp_path / "b", "--max-output-bytes", "10000000")
    assert whole.exit_code == 0
    stills = ("thumbnail", source, "--times", "0,1", "--output", tmp_path / "c")
    assert engine.run(*stills, "--max-output-bytes", "100").last["code"] == "LIMIT_EXCEEDED"


@with_both
def test_work_ends_there_when_the_picture_grows_past_the_limit(
    engine: Engine, tmp_path: Path
) -> None:
    source = CLIPS["growing.ts"].path
    limit = ("--max-pixels", "100000")
    plan_file = trial.saved(trial.plan_of(engine.run("probe", source, *limit)), tmp_path)
    command = ("transcode", source, "--plan", plan_file, "--output", tmp_path / "made")
    stopped = engine.run(*command, *limit)
    assert trial.refused(stopped) == trial.Refused(6, "LIMIT_EXCEEDED", position_s=1.0)


@with_both
def test_memory_stays_below_its_limit_when_a_picture_is_huge(
    engine: Engine, tmp_path: Path
) -> None:
    picture = ("-f", "lavfi", "-i", "color=gray:size=7680x4320:rate=25:duration=0.6")
    source = media.ffmpeg("huge.mp4", *picture, "-c:v", "libx264", "-preset", "ultrafast")
    plan_file = trial.saved(trial.plan_of(engine.run("probe", source)), tmp_path)
    command = ("transcode", source, "--plan", plan_file, "--output", tmp_path / "made")
    generous = engine.run(*command, "--max-memory-bytes", str(3 << 30))
    assert generous.exit_code == 0
    base = engine.run("probe", CLIPS["one-frame.mp4"].path)
    assert base.exit_code == 0
    limit = base.peak_bytes + (20 << 20)
    stopped = engine.run(*command, "--max-memory-bytes", str(limit))
    assert trial.refused(stopped) == trial.Refused(6, "LIMIT_EXCEEDED")
    assert "memory" in stopped.last["message"]
    assert stopped.peak_bytes < generous.peak_bytes


@with_both
def test_memory_stays_near_its_limit_when_an_index_claims_fifty_million_samples(
    engine: Engine, tmp_path: Path
) -> None:
    path = tmp_path / "index.mp4"
    path.write_bytes(surgery.with_huge_index(CLIPS["video-only.mp4"].content, 50_000_000))
    limit = 400 << 20
    stopped = engine.run("probe", path, "--max-memory-bytes", str(limit))
    assert trial.refused(stopped) == trial.Refused(6, "LIMIT_EXCEEDED")
    assert "memory" in stopped.last["message"]
    assert stopped.peak_bytes < 1.5 * limit


@pytest.mark.exhaustive
def test_leaks_are_found_when_the_sanitizers_run(tmp_path: Path) -> None:
    program = sanitized.leaky_program(tmp_path)
    assert sanitized.ends(program) == sanitized.FINDING
