"""How what was filmed becomes what is played. The filming itself needs a running Millrace."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import sync_playwright

from docs import demo
from tests.harness.chromium import CHROMIUM, FLAGS


def jpeg(colour: str, size: tuple[int, int] = (1280, 720)) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", size, colour).save(made, "JPEG")
    return made.getvalue()


def test_rests_are_cut_short_when_nothing_was_painted() -> None:
    assert demo.durations([0, 0.5, 60, 60.25]) == [500, 800, 250, 2000]


def test_it_is_played_faster_when_it_would_take_too_long() -> None:
    shown = demo.durations([second / 2 for second in range(241)])
    assert sum(shown[:-1]) == pytest.approx(1000 * demo.LENGTH_S)


def test_no_frame_is_too_short_to_be_seen_and_no_time_is_lost_when_many_were_painted() -> None:
    frames = [(n / 60, bytes([n])) for n in range(60)]
    shown_ms = demo.durations([at_s for at_s, _ in frames])
    kept = demo.thinned(frames, shown_ms)
    assert len(kept) < 10
    assert sum(lasts_ms for _, lasts_ms in kept) == sum(shown_ms)
    assert kept[-1][0] == bytes([59])


def test_recording_plays_all_frames_when_pages_had_several_sizes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "RECORDING", tmp_path / "demo.webp")
    demo.write([(2.0, jpeg("blue", (640, 360))), (1.0, jpeg("red")), (1.5, jpeg("green", (9, 9)))])
    with Image.open(tmp_path / "demo.webp") as played:
        assert (played.size, getattr(played, "n_frames", 1)) == (demo.SIZE, 3)


@pytest.mark.needs_browser
def test_pages_at_the_desk_are_filmed_when_they_paint() -> None:
    with ThreadPoolExecutor(1) as thread:  # another test's browser may keep a loop in this one
        film = thread.submit(_filmed).result()
    times = [at_s for at_s, _ in film.frames]
    assert len(times) >= 2
    assert times == sorted(times)
    with Image.open(io.BytesIO(film.frames[-1][1])) as last:
        assert last.size == (640, 360)
        assert last.convert("RGB").getpixel((320, 180)) == pytest.approx((0, 0, 255), abs=12)


def _filmed() -> demo.Film:
    film = demo.Film()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        filmed = demo.Filmed(browser, film)
        phone = filmed.new_page(color_scheme="dark")
        phone.set_content("<p>not seen</p>")
        desk = filmed.new_page(viewport={"width": 640, "height": 360})
        for colour in ("#f00", "#00f"):
            desk.set_content(f"<body style='background:{colour}'>")
            desk.wait_for_timeout(500)
        browser.close()
    return film
