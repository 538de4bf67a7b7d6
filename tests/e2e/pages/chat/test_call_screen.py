"""A shared screen as the other side sees and hears it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.pages.chat.calling import Visitors, call
from tests.harness.pipeline import eventually

pytestmark = pytest.mark.needs_browser
SCREEN = """(() => {
    const paint = document.createElement("canvas").getContext("2d");
    [paint.canvas.width, paint.canvas.height] = [640, 480];
    setInterval(() => {
        paint.fillStyle = "#c00000";
        paint.fillRect(0, 0, 320, 480);
        paint.fillStyle = "#0000c0";
        paint.fillRect(320, 0, 320, 480);
    }, 50);
    navigator.mediaDevices.getDisplayMedia = async (wanted) => {
        window.wanted = wanted;
        const stream = paint.canvas.captureStream(15);
        const sound = new AudioContext();
        const tone = new OscillatorNode(sound, { frequency: 1000 });
        const out = new MediaStreamAudioDestinationNode(sound);
        tone.connect(out);
        tone.start();
        stream.addTrack(out.stream.getAudioTracks()[0]);
        return stream;
    };
})();"""
"""A screen that is red to the left and blue to the right, and whose sound is a tone of 1000 Hz."""
HALVES = """() => {
    const paint = new OffscreenCanvas(4, 4).getContext("2d");
    paint.drawImage(document.getElementById("far"), 0, 0, 4, 4);
    return [0, 3].map((x) => [...paint.getImageData(x, 2, 1, 1).data.slice(0, 3)]);
}"""
PITCH = """async () => {
    const heard = new AudioContext();
    await heard.resume();
    const ear = new AnalyserNode(heard, { fftSize: 8192, smoothingTimeConstant: 0 });
    const { srcObject } = document.getElementById("far-screen");
    if (!srcObject) return 0;
    heard.createMediaStreamSource(srcObject).connect(ear);
    await new Promise((done) => setTimeout(done, 1000));
    const levels = new Float32Array(ear.frequencyBinCount);
    ear.getFloatFrequencyData(levels);
    const loudest = levels.indexOf(Math.max(...levels));
    const pitch = levels[loudest] > -60 ? (loudest * heard.sampleRate) / ear.fftSize : 0;
    await heard.close();
    return pitch;
}"""
"""In Hz of the loudest tone of the far screen's sound; 0 of silence."""


def shows_the_screen(page: Page) -> bool:
    (red, green, blue), (other_red, other_green, other_blue) = page.evaluate(HALVES)
    return bool(red > 120 > green + blue and other_blue > 120 > other_green + other_red)


def test_other_side_sees_and_hears_the_screen_when_it_is_shared(visit: Visitors) -> None:
    first, second = call(visit, SCREEN)
    assert not shows_the_screen(second)
    first.locator("#screen").click()
    eventually("the screen's picture", lambda: shows_the_screen(second), 20)
    eventually("the screen's sound", lambda: abs(second.evaluate(PITCH) - 1000) < 20, 20)
    assert first.evaluate("wanted.systemAudio") == "include"
    first.locator("#screen").click()
    expect(second.locator("#far-badges")).to_be_hidden()
    eventually("the camera's picture", lambda: not shows_the_screen(second), 20)
    eventually("silence", lambda: second.evaluate(PITCH) == 0, 20)
