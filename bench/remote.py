"""A file behind a local HTTP server with byte ranges, and commands measured against it."""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
ENGINE = str(REPOSITORY / "build" / "engine" / "release" / "millrace-engine")

_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
_PIECE_BYTES = 1 << 18


class FileServer:
    """Serves one file; counts what it was asked for and what it really sent."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = path.stat().st_size
        self._lock = threading.Lock()
        self.requests = self.sent_bytes = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}/source{path.suffix}"

    def count(self, *, requests: int = 0, sent_bytes: int = 0) -> None:
        with self._lock:
            self.requests += requests
            self.sent_bytes += sent_bytes

    @contextmanager
    def running(self) -> Iterator[FileServer]:
        thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        files = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                files.count(requests=1)
                found = _RANGE.fullmatch(self.headers.get("Range", ""))
                first = int(found[1]) if found else 0
                last = int(found[2]) if found and found[2] else files.size - 1
                last = min(last, files.size - 1)
                self.send_response(206 if found else 200)
                self.send_header("Content-Length", str(last - first + 1))
                self.send_header("Accept-Ranges", "bytes")
                self.send_header("ETag", '"one"')
                if found:
                    self.send_header("Content-Range", f"bytes {first}-{last}/{files.size}")
                self.end_headers()
                self._send(first, last + 1)

            def _send(self, start: int, end: int) -> None:
                with files.path.open("rb") as file:
                    self.wfile.flush()
                    while start < end:
                        try:
                            sent = os.sendfile(
                                self.connection.fileno(),
                                file.fileno(),
                                start,
                                min(_PIECE_BYTES, end - start),
                            )
                        except OSError:  # the client has enough
                            self.close_connection = True
                            return
                        start += sent
                        files.count(sent_bytes=sent)

            def log_message(self, *_: object) -> None:
                return

        return Handler


@dataclass(frozen=True)
class Run:
    """What one command took."""

    wall_s: float
    cpu_s: float
    sent_bytes: int
    """Put on the wire for it; what the client had not read when it hung up counts."""
    output: str


def measured(server: FileServer, *command: str) -> Run:
    """Run a command that must succeed."""
    before, started = server.sent_bytes, time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    output = process.stdout.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.monotonic() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{command[0]} ended with {process.returncode}: {output[-500:]}")
    cpu_s = usage.ru_utime + usage.ru_stime
    return Run(wall_s, cpu_s, server.sent_bytes - before, output)


def median(runs: list[Run]) -> Run:
    """The run of median wall time."""
    return sorted(runs, key=lambda run: run.wall_s)[len(runs) // 2]


def row(name: str, run: Run, size: int) -> str:
    percent = 100 * run.sent_bytes / size
    return (
        f"{name:<34} {run.wall_s:8.3f} s wall {run.cpu_s:8.3f} s CPU "
        f"{run.sent_bytes / 1e6:9.2f} MB = {percent:6.3f} %"
    )
