"""What arrives on the other side of a call, and what the page says of it."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.pages.chat.calling import Visitors, call
from tests.harness.pipeline import eventually

pytestmark = pytest.mark.needs_browser
CONNECTION = "connections.at(-1)"
COUNT_PARAMETERS = """(() => {
    const { setParameters } = RTCRtpSender.prototype;
    window.parametersSet = 0;
    RTCRtpSender.prototype.setParameters = function (...all) {
        window.parametersSet += 1;
        return setParameters.apply(this, all);
    };
})();"""
GROWTH = """async (ms) => {
    const receivers = connections.at(-1).getTransceivers().map(({ receiver }) => receiver);
    const take = () => Promise.all(receivers.map(async (receiver) => {
        const stats = [...(await receiver.getStats()).values()];
        const one = stats.find(({ type }) => type === "inbound-rtp") ?? {};
        return one.framesDecoded ?? one.totalAudioEnergy ?? 0;
    }));
    const before = await take();
    await new Promise((done) => setTimeout(done, ms));
    return (await take()).map((value, index) => value - before[index]);
}"""
IS_SENT = """([slot, device]) =>
    connections.at(-1).getTransceivers()[slot].sender.track?.getSettings().deviceId === device"""
BEEPS_MS = 2500
"""The pretended microphone beeps once a second."""


def growth(page: Page, ms: int = BEEPS_MS) -> tuple[float, float, float]:
    """Of the energy of the voice, of the pictures, of the energy of the screen's sound."""
    mic, camera, screen = page.evaluate(GROWTH, ms)
    return mic, camera, screen


def sent(page: Page, slot: int) -> dict[str, Any] | None:
    """Settings of the track that is sent; 0 microphone, 1 picture, 2 sound of the screen."""
    settings: dict[str, Any] | None = page.evaluate(
        f"{CONNECTION}.getTransceivers()[{slot}].sender.track?.getSettings() ?? null"
    )
    return settings


def test_other_side_gets_what_is_switched_on_and_nothing_else_when_one_switches(
    visit: Visitors,
) -> None:
    first, second = call(visit)
    voice = eventually("a voice", lambda: growth(second)[0], 20)
    _mute(first, second, voice)
    _stop_the_camera(first, second)
    _choose_devices(first, second)


def _mute(first: Page, second: Page, voice: float) -> None:
    mic, badges = first.locator("#mic"), second.locator("#far-badges")
    mic.click()
    expect(mic).to_have_attribute("aria-pressed", "false")
    expect(badges).to_have_text("microphone off")
    eventually("silence", lambda: growth(second)[0] < voice / 100, 20)
    mic.click()
    expect(badges).to_be_hidden()
    eventually("the voice again", lambda: growth(second)[0] > voice / 10, 20)


def _stop_the_camera(first: Page, second: Page) -> None:
    camera, badges = first.locator("#camera"), second.locator("#far-badges")
    camera.click()
    expect(badges).to_have_text("camera off")
    eventually("no more pictures", lambda: growth(second, 1000)[1] == 0, 20)
    assert sent(first, 1) is None
    camera.click()
    expect(badges).to_be_hidden()
    eventually("pictures again", lambda: growth(second, 1000)[1] > 5, 20)


def _choose_devices(first: Page, second: Page) -> None:
    first.locator("#meter").click()
    for slot, choice in ((0, "#room-mic"), (1, "#room-camera")):
        used = (sent(first, slot) or {})["deviceId"]
        devices = first.locator(f"{choice} option").evaluate_all("all => all.map((o) => o.value)")
        # Microphones have a "default", too; the second pretended camera measures depth.
        other = next(one for one in reversed(devices) if one not in (used, "default"))
        first.locator(choice).select_option(other)
        first.wait_for_function(IS_SENT, arg=[slot, other])
    eventually("pictures of the other camera", lambda: growth(second, 1000)[1] > 5, 20)
    eventually("sound of the other microphone", lambda: growth(second)[0], 20)


def test_panel_and_report_tell_all_readings_when_a_call_goes_on(visit: Visitors) -> None:
    first, _ = call(visit, COUNT_PARAMETERS)
    first.locator("#meter").click()
    first.wait_for_function(
        "() => document.querySelector('#readings polyline').points.numberOfItems >= 6"
    )
    shown: dict[str, str] = dict(
        first.locator(".reading").evaluate_all(
            """all => all.map((row) => [row.querySelector("dt").textContent,
                row.querySelector(".reading__value").textContent])"""
        )
    )
    size = r"[1-9]\d* × [1-9]\d*, [1-9]\d* fps"
    rate = r"([1-9]\d* kb/s|\d+\.\d Mb/s)"
    for name, form in {
        **{"Round trip": r"\d+ ms", "Jitter": r"\d+ ms", "Loss": r"\d+\.\d %"},
        **{"Up": rate, "Down": rate, "Picture": size, "Yours": size},
        **{"Codecs": r"(VP8|VP9|H264|AV1), opus", "Path": r"direct – (direct|through NAT)"},
    }.items():
        assert re.fullmatch(form, shown[name]), f"{name}: {shown[name]}"
    assert first.locator("#readings polyline").count() == 5
    rating = first.locator("#rating").inner_text()
    assert re.match(r"Good$|Fair: |Poor: ", rating), rating
    expect(first.locator("#meter-text")).to_have_text(re.compile("Good|Fair|Poor"))
    _expect_few_changes(first)
    _read_the_report(first)


def _expect_few_changes(page: Page) -> None:
    """Six readings, in which the sender was told once what it may send."""
    assert page.evaluate("parametersSet") == 1
    encoding = page.evaluate(
        f"{CONNECTION}.getTransceivers()[1].sender.getParameters().encodings[0]"
    )
    assert (encoding["maxBitrate"], encoding["scaleResolutionDownBy"]) == (2_500_000, 1)


def _read_the_report(page: Page) -> None:
    with page.expect_download() as download:
        page.locator("#report").click()
    report = json.loads(Path(download.value.path()).read_text())
    assert (report["version"], report["most_readings"]) == (1, 3600)
    assert re.match(r"Good$|Fair: |Poor: ", report["rating"])
    readings = report["readings"]
    assert len(readings) >= 6
    steps = [after["at_ms"] - before["at_ms"] for before, after in pairwise(readings)]
    assert all(500 < step < 5000 for step in steps), steps
    last = readings[-1]
    for name in ("roundTrip_ms", "jitter_ms", "loss", "up_bps", "down_bps", "frames_ps"):
        assert isinstance(last[name], int | float), name
    assert last["width"] > 0
    assert last["sentHeight"] > 0
    assert last["path"].startswith("direct – ")
