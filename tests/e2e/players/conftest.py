"""A package of the engine's, served with a page that plays it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from millrace.ladder import Rung
from tests.harness import media
from tests.harness.chromium import CHROMIUM, FLAGS
from tests.harness.ladder import Ladder, plan_for, transcode

RUNGS = (Rung("360p", 360, 800_000, 26), Rung("180p", 180, 300_000, 26))
SECONDS = 12


def source() -> Path:
    """12 s with two languages (440 and 880 Hz); the left half is brighter every second."""
    sound = f"sine=frequency={{}}:sample_rate=48000:duration={SECONDS}"
    picture = f"testsrc2=s=640x360:r=25:d={SECONDS}[a]"
    level = "geq=lum='30+16*floor(T)':cb=128:cr=128,scale=320:360"
    half = f"color=black:s=8x8:r=25:d={SECONDS},format=yuv420p,{level}[b]"
    return media.ffmpeg(
        "players.mp4",
        *("-f", "lavfi", "-i", f"{picture};{half};[a][b]overlay=0:0"),
        *("-f", "lavfi", "-i", sound.format(440), "-f", "lavfi", "-i", sound.format(880)),
        *("-map", "0", "-map", "1", "-map", "2", "-c:v", "libx264", "-preset", "ultrafast"),
        *("-pix_fmt", "yuv420p", "-c:a", "aac", "-metadata:s:a:0", "language=eng"),
        *("-metadata:s:a:1", "language=deu"),
    )


@pytest.fixture(scope="package")
def package(tmp_path_factory: pytest.TempPathFactory) -> Ladder:
    folder = tmp_path_factory.mktemp("players")
    return transcode(source(), folder, plan_for(source(), RUNGS))


class Handler(SimpleHTTPRequestHandler):
    """Three folders under one roof."""

    extensions_map = {  # noqa: RUF012 - the base class has it so
        **SimpleHTTPRequestHandler.extensions_map,
        **{".m3u8": "application/vnd.apple.mpegurl", ".mpd": "application/dash+xml"},
        **{".m4s": "video/iso.segment", ".mjs": "text/javascript", ".js": "text/javascript"},
    }

    def __init__(self, *arguments: object, roots: dict[str, Path], **named: object) -> None:
        self.roots = roots
        super().__init__(*arguments, **named)  # type: ignore[arg-type]

    def translate_path(self, path: str) -> str:
        first, _, rest = path.lstrip("/").partition("?")[0].partition("/")
        return str(self.roots.get(first, Path("/nonexistent")) / rest)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture(scope="package")
def site(package: Ladder) -> Iterator[str]:
    roots = {
        "page": Path(__file__).parent,
        "media": package.folder,
        "node_modules": media.REPOSITORY / "node_modules",
    }
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, roots=roots))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(10)
    server.server_close()


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()
