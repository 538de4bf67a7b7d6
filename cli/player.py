"""`./millrace player`: the player by itself, with something to play."""

from __future__ import annotations

import mimetypes
import time
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import click
from rich.progress import BarColumn, Progress, TextColumn

from cli import sample as samples
from cli.console import console, fail
from cli.deploy_site import CONTENT_TYPES
from cli.sample import Sample
from cli.state import REPOSITORY
from millrace.errors import MillraceError

PLAYER = REPOSITORY / "frontend" / "player"
TRAILER = REPOSITORY / "tests" / "media" / "clips" / "sintel_trailer-720p.mp4"
PAGE = "/player/sample/index.html"
GROWTH_S = 2.0
"""A growing sample gets another segment (4 s) this often."""
_TYPES = CONTENT_TYPES | {
    ".m3u8": "application/vnd.apple.mpegurl",
    ".mpd": "application/dash+xml",
    ".m4s": "video/iso.segment",
    ".mp4": "video/mp4",
    ".jpg": "image/jpeg",
    ".png": "image/png",
}


@click.group()
def player() -> None:
    """The player of frontend/player, without the rest of Millrace."""


@player.command()
@click.option(
    "--source",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    default=TRAILER,
    help="A video to transcode; a film trailer if none is named.",
)
@click.option("--port", default=0, show_default="a free one", help="On the loopback interface.")
@click.option("--growing", is_flag=True, help="Serve it as if it were still being transcoded.")
def sample(source: Path, port: int, growing: bool) -> None:
    """Make an HLS set of a video with the engine and serve it with a page around the player."""
    try:
        made = _made(source)
    except MillraceError as error:
        fail(str(error))
    with serve(made, port, growing=growing) as server:
        console.print(f"  The player: [link]{address(server)}[/]   (Ctrl-C ends it)")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            console.print()


def _made(source: Path) -> Sample:
    columns = (TextColumn("  [busy]{task.description}[/]"), BarColumn(bar_width=28))
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(f"Transcoding {source.name}", total=100)
        return samples.make(
            source, samples.FOLDER, lambda percent: progress.update(task, completed=percent)
        )


def serve(made: Sample, port: int = 0, *, growing: bool = False) -> ThreadingHTTPServer:
    """A server of the player and the sample; it runs once its `serve_forever` is called."""
    begin_s = time.monotonic()

    def done() -> int:
        if not growing:
            return made.chunk_count
        return min(made.chunk_count, 1 + int((time.monotonic() - begin_s) / GROWTH_S))

    return ThreadingHTTPServer(("127.0.0.1", port), partial(_Handler, made, done))


def address(server: ThreadingHTTPServer) -> str:
    return f"http://127.0.0.1:{server.server_port}{PAGE}"


class _Handler(BaseHTTPRequestHandler):
    """`/player/…` is the player's folder, `/media/…` the sample; nothing else is there."""

    protocol_version = "HTTP/1.1"

    def __init__(self, made: Sample, done: Callable[[], int], *connection: object) -> None:
        self._made, self._done = made, done
        super().__init__(*connection)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        if path == "/":
            self._answer(HTTPStatus.FOUND, b"", "text/plain", Location=PAGE)
            return
        if path == "/favicon.ico":  # every browser asks for one
            self._answer(HTTPStatus.NO_CONTENT, b"", "image/x-icon")
            return
        content = self._content(path)
        if content is None:
            self._answer(HTTPStatus.NOT_FOUND, b"There is no such file.\n", "text/plain")
            return
        suffix = PurePosixPath(path).suffix
        kind = _TYPES.get(suffix) or mimetypes.guess_type(path)[0] or "application/octet-stream"
        self._answer(HTTPStatus.OK, content, kind)

    def _content(self, path: str) -> bytes | None:
        root, _, below = path.removeprefix("/").partition("/")
        if root == "media" and below.endswith((".m3u8", ".mpd")):
            text = self._made.playlists(self._done()).get(below)
            return None if text is None else text.encode()
        folder = {"media": self._made.folder, "player": PLAYER}.get(root)
        if folder is None:
            return None
        file = (folder / below).resolve()
        inside = file.is_relative_to(folder.resolve()) and file.is_file()
        return file.read_bytes() if inside else None

    def _answer(self, status: HTTPStatus, body: bytes, kind: str, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-cache")
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Silence: the browser's tools show requests better."""
