"""`millrace batch` on the real engine: what it tells, waits for, tries again and puts back."""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli.__main__ import main
from cli.media import engine, queue
from cli.media.exits import Exit
from tests.harness import media
from tests.media.matrix import CLIPS

pytestmark = pytest.mark.needs_engine
SMALL = "320x180"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["batch", *(str(it) for it in arguments)], prog_name="millrace")


def events(output: str, kind: str) -> list[dict[str, Any]]:
    told = [json.loads(line) for line in output.splitlines()]
    return [event for event in told if event["type"] == kind]


def film(folder: Path, name: str = "a.mp4") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_bytes(media.clip("cli-film.mp4", 2, SMALL).read_bytes())
    return path


def damaged(folder: Path) -> Path:
    content = bytearray(film(folder, "damaged.mp4").read_bytes())
    middle = len(content) // 2
    content[middle : middle + 3000] = random.Random(1).randbytes(3000)
    (folder / "damaged.mp4").write_bytes(content)
    return folder / "damaged.mp4"


def states(output: Path) -> list[tuple[str, int]]:
    base = sqlite3.connect(output / queue.NAME)
    try:
        return base.execute("SELECT state, attempts FROM jobs ORDER BY rowid").fetchall()
    finally:
        base.close()


def faulty_engine(folder: Path, faults: int, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An engine that is killed the first times it converts; returns the times at which it was
    asked to, a line each."""
    asked = folder / "asked"
    script = folder / "engine"
    script.write_text(
        f'#!/bin/sh\n[ "$1" = convert ] || exec {engine.path()} "$@"\n'
        f"date +%s.%N >> {asked}\n"
        f'[ "$(wc -l < {asked})" -gt {faults} ] || kill -9 $$\nexec {engine.path()} "$@"\n'
    )
    script.chmod(0o755)
    monkeypatch.setenv("MILLRACE_ENGINE", str(script))
    return asked


@contextmanager
def running(*arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "cli", "batch", *map(str, arguments), "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_warnings_of_a_conversion_are_told_when_it_is_one_of_many(tmp_path: Path) -> None:
    source = damaged(tmp_path / "in")
    options = ["--options", "--quality low --speed ultrafast"]
    result = run(source, "-o", tmp_path / "a", *options, "--json")
    assert result.exit_code == Exit.DONE
    warnings = events(result.stdout, "warning")
    assert "DAMAGED_PICTURES" in {it["code"] for it in warnings}
    assert all((it["file"], it["stream"] in (0, 1)) == (str(source), True) for it in warnings)
    assert all(0 <= it["time_s"] <= 2 for it in warnings)
    (job,) = events(result.stdout, "job")
    assert [f"{source}: {it}" for it in job["warnings"]] == [it["message"] for it in warnings]
    result = run(source, "-o", tmp_path / "b", *options)
    assert f"! {warnings[0]['message']}" in result.stderr
    row = next(line for line in result.stderr.splitlines() if line.startswith("done"))
    assert str(job["warnings"][0]) in row


def test_what_is_left_out_is_told_when_it_is_one_of_many(tmp_path: Path) -> None:
    source = CLIPS["cover-and-film.mp4"].path
    result = run(source, "-o", tmp_path / "out", "--json")
    assert result.exit_code == Exit.DONE
    (warning,) = [it for it in events(result.stdout, "warning") if it["code"] == "LEFT_OUT"]
    assert warning["file"] == str(source)
    assert "cover" in warning["message"]


def test_failure_keeps_time_and_advice_when_it_is_one_of_many(tmp_path: Path) -> None:
    foreign = film(tmp_path / "in", "foreign.mp4")
    foreign.write_bytes(foreign.read_bytes().replace(b"avc1", b"zzz9"))
    cut = tmp_path / "in" / "cut.mkv"
    whole = media.clip("verify.mkv", 3, SMALL)
    cut.write_bytes(media.truncated(whole, 0.6).read_bytes())
    result = run(tmp_path / "in", "-o", tmp_path / "out", "--json")
    assert result.exit_code == Exit.FOUND
    late, alien = events(result.stdout, "job")
    assert (late["reason"], late["file"], late["stream"]) == ("CORRUPT", str(cut), None)
    assert 1 < late["time_s"] < 3
    assert "copy" in late["advice"]
    assert (alien["reason"], alien["file"]) == ("UNSUPPORTED_CODEC", str(foreign))
    again = run(tmp_path / "in", "-o", tmp_path / "out", "--retry-failed")
    assert f"✗ {foreign}: The codec of stream 0" in again.stderr
    assert f"Try: {alien['advice']}." in again.stderr


def test_passing_failure_is_tried_again_later_and_later_when_it_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = faulty_engine(tmp_path, 2, monkeypatch)
    source = film(tmp_path / "in")
    result = run(source, "-o", tmp_path / "out", "--json")
    assert result.exit_code == Exit.DONE, result.output
    first_s, second_s, third_s = map(float, asked.read_text().split())
    assert second_s - first_s >= 1
    assert third_s - second_s >= 2
    retries = [it for it in events(result.stdout, "warning") if it["code"] == "RETRY"]
    assert [it["file"] for it in retries] == [str(source)] * 2
    assert "SIGKILL" in retries[0]["message"]
    assert states(tmp_path / "out") == [("done", 3)]


def test_failed_file_is_tried_again_when_asked_for_at_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = faulty_engine(tmp_path, 1, monkeypatch)
    arguments: list[str | Path] = [film(tmp_path / "in"), "-o", tmp_path / "out", "--retries", "0"]
    assert run(*arguments).exit_code == Exit.FOUND
    assert run(*arguments).exit_code == Exit.FOUND
    assert len(asked.read_text().split()) == 1
    assert run(*arguments, "--retry-failed").exit_code == Exit.DONE
    assert states(tmp_path / "out") == [("done", 1)]


def test_file_is_made_anew_when_its_source_or_its_options_changed(tmp_path: Path) -> None:
    source = film(tmp_path / "in")
    foreign = film(tmp_path / "in", "b.mp4")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "b.mkv").write_text("of somebody else")
    arguments: list[str | Path] = [tmp_path / "in", "-o", tmp_path / "out", "--to", "mkv", "--json"]
    assert [it["state"] for it in events(run(*arguments).stdout, "job")] == ["done", "skipped"]
    source.write_bytes(media.clip("verify.mp4", 3, SMALL).read_bytes())
    (job,) = events(run(*arguments).stdout, "job")
    assert (job["state"], job["source"]) == ("done", str(source))
    length_s = float(media.ffprobe(job["target"], "-show_format")["format"]["duration"])
    assert length_s == pytest.approx(3, abs=0.1)
    foreign.touch()
    assert [it["state"] for it in events(run(*arguments).stdout, "job")] == ["skipped"]
    assert (tmp_path / "out" / "b.mkv").read_text() == "of somebody else"


def test_file_waits_again_when_ctrl_c_came_in_the_middle(tmp_path: Path) -> None:
    source, output = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    for name in ("a.mkv", "b.mkv"):
        (source / name).write_bytes(media.clip("bar.mkv", 10, "640x360").read_bytes())
    with running(source, "-o", output, "--options", "--crf 20 --speed medium") as process:
        while not list(output.glob(".a.*.part.mp4")):
            assert process.poll() is None, "it ended by itself"
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        last, _ = process.communicate(timeout=30)
    assert process.returncode == Exit.INTERRUPTED
    assert [it["reason"] for it in events(last, "error")] == ["INTERRUPTED"]
    assert states(output) == [("pending", 0), ("pending", 0)]
    assert [path.name for path in output.iterdir()] == [queue.NAME]


def test_watch_waits_for_files_and_for_their_ends_when_none_is_there(tmp_path: Path) -> None:
    """A pattern that nothing answers to, then a file that somebody still copies."""
    inbox, output = tmp_path / "in", tmp_path / "out"
    inbox.mkdir()
    content = media.clip("cli-film.mp4", 2, SMALL).read_bytes()
    with running(inbox / "*.mp4", tmp_path / "no*.mov", "-o", output, "--watch") as process:
        assert process.stdout is not None
        told: list[str] = []
        reader = threading.Thread(target=lambda: told.extend(process.stdout or ()))
        reader.start()
        while not (output / queue.NAME).exists():
            assert process.poll() is None, told
            time.sleep(0.1)
        with (inbox / "a.mp4").open("wb") as copy:
            for begin in range(0, len(content), len(content) // 8):
                copy.write(content[begin : begin + len(content) // 8])
                copy.flush()
                time.sleep(0.4)
                assert states(output) == []
        deadline = time.monotonic() + 60
        while states(output) != [("done", 1)]:
            assert process.poll() is None, told
            assert time.monotonic() < deadline, (told, states(output))
            time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == Exit.DONE
        reader.join()
    assert events("".join(told), "summary")[0]["done"] == 1
    assert not events("".join(told), "error")


def test_table_tells_each_file_when_all_are_at_their_end(tmp_path: Path) -> None:
    good, bad = film(tmp_path / "in"), tmp_path / "in" / "bad.mkv"
    bad.write_bytes(random.Random(3).randbytes(9000))
    result = run(tmp_path / "in", "-o", tmp_path / "out", "--to", "mkv")
    assert result.exit_code == Exit.FOUND
    header, first, second, summary = result.stderr.splitlines()[-4:]
    assert header.split() == ["state", "file", "size", "took", "why"]
    made = tmp_path / "out" / "a.mkv"
    assert first.split()[:2] == ["done", str(good)]
    assert f"→ {made.stat().st_size / 1000:.1f} kB" in first
    assert second.split()[:2] == ["failed", str(bad)]
    assert "✗" not in second
    assert second.count(str(bad)) == 1
    assert "not recognised as any kind of video" in second
    assert summary.startswith("  1 done, 1 failed; ")
    quiet = run(tmp_path / "in", "-o", tmp_path / "out", "--to", "mkv", "-q", "--retry-failed")
    assert quiet.stderr.startswith(f"✗ {bad}: ")
    assert "state" not in quiet.stderr


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ("--dry-run", "would make nothing"),
        ("--crf 20 --size 5MB", "exclude each other"),
        ("--title 'a", "No closing quotation"),
    ],
)
def test_options_are_refused_when_no_file_can_be_made_with_them(
    options: str, word: str, tmp_path: Path
) -> None:
    result = run(film(tmp_path), "-o", tmp_path / "out", "--options", options)
    assert result.exit_code == Exit.USAGE
    assert word in result.stderr
    assert not (tmp_path / "out").exists()


def test_folder_is_refused_when_the_results_would_lie_among_its_films(tmp_path: Path) -> None:
    folder = film(tmp_path / "films").parent
    result = run(folder, "-o", folder)
    assert result.exit_code == Exit.USAGE
    assert "among the sources" in result.stderr
    assert run(folder, "-o", tmp_path).exit_code == Exit.DONE
    assert (tmp_path / "a.mp4").exists()
