"""A Millrace started exactly as a person starts it, and a client that does what a browser does."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import boto3
import psutil
import requests

REPOSITORY = Path(__file__).resolve().parent.parent.parent
TERMINAL = ("completed", "failed", "cancelled")
READY_S = 600
MOST_PARTS_AT_ONCE = 100
T = TypeVar("T")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def eventually(
    what: str, attempt: Callable[[], T | None], timeout_s: float, every_s: float = 0.2
) -> T:
    """The first truthy answer of `attempt`; a test failure that says `what` never came."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        answer = attempt()
        if answer:
            return answer
        time.sleep(every_s)
    raise AssertionError(f"after {timeout_s:.0f} s still not: {what}")


@dataclass
class Pipeline:
    """One `./millrace up` on its own port and state directory."""

    state_dir: Path
    port: int = field(default_factory=free_port)
    signal_port: int = field(default_factory=free_port)
    settings: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    command: tuple[str, ...] = (sys.executable, "-m", "cli", "up")

    def start(self) -> Pipeline:
        self.state_dir.mkdir(parents=True, exist_ok=True)
        with (self.state_dir / "up.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=REPOSITORY,
                env={
                    **os.environ,
                    "MILLRACE_STATE_DIR": str(self.state_dir),
                    "MILLRACE_PORT": str(self.port),
                    "MILLRACE_SIGNAL_PORT": str(self.signal_port),
                    "PYTHONPATH": f"{REPOSITORY}/layers/core/python:{REPOSITORY}",
                    **self.settings,
                },
                stdout=log,
                stderr=log,
            )
        self.wait_ready()
        return self

    def wait_ready(self) -> None:
        """Wait until `up` says that it is ready (again)."""
        assert self.process is not None
        process = self.process

        def ready() -> bool:
            if process.poll() is not None:
                raise AssertionError(f"millrace up ended with {process.returncode}:\n{self.log()}")
            return (self.state_dir / "up.json").exists()

        eventually(f"ready; its log: {self.log()}", ready, READY_S)

    def log(self) -> str:
        path = self.state_dir / "up.log"
        return path.read_text(errors="replace")[-4000:] if path.exists() else ""

    def stop(self) -> int:
        """Ctrl-C; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(120)

    def kill_everything(self) -> None:
        """kill -9 of `up` alone: all else must die with it."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(60)

    @property
    def running(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads((self.state_dir / "up.json").read_text())
        return answer

    @property
    def api_url(self) -> str:
        return str(self.running["api_url"])

    @property
    def site_url(self) -> str:
        return str(self.running["gallery_url"]).removesuffix("/index.html")

    @property
    def token(self) -> str:
        return (self.state_dir / "token").read_text().strip()

    def client(self, service: str) -> Any:
        return boto3.client(  # type: ignore[call-overload]  # any service by its name
            service,
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def api(
        self, method: str, path: str, body: Any = None, token: str | None = "", **options: Any
    ) -> requests.Response:
        """One API call with the first run's token; `token=None` sends none."""
        headers = options.pop("headers", {})
        if token is not None:
            headers = {"Authorization": f"Bearer {token or self.token}", **headers}
        return requests.request(
            method, self.api_url + path, json=body, headers=headers, timeout=60, **options
        )

    def video(self, video_id: str) -> dict[str, Any]:
        response = self.api("GET", f"/videos/{video_id}")
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def events(self, video_id: str) -> list[dict[str, Any]]:
        """The whole log of a video, page by page."""
        found: list[dict[str, Any]] = []
        query: dict[str, str] | None = {"limit": "100"}
        while query is not None:
            response = self.api("GET", f"/videos/{video_id}/events", params=query)
            assert response.status_code == 200, response.text
            page = response.json()
            found += page["events"]
            cursor = page["next_cursor"]
            query = {"limit": "100", "cursor": cursor} if cursor else None
        return found

    def announce(
        self,
        path: Path,
        name: str | None = None,
        content_type: str = "video/mp4",
        settings: dict[str, Any] | None = None,
    ) -> Any:
        """POST /uploads for a file; the whole answer."""
        response = self.api(
            "POST",
            "/uploads",
            {
                "filename": name or path.name,
                "size_bytes": path.stat().st_size,
                "content_type": content_type,
                "settings": settings or {},
            },
        )
        assert response.status_code == 201, response.text
        return response.json()

    def upload(
        self,
        path: Path,
        name: str | None = None,
        content_type: str = "video/mp4",
        settings: dict[str, Any] | None = None,
    ) -> str:
        """Upload as a browser does; the video's id."""
        created = self.announce(path, name, content_type, settings)
        self.send(created, path)
        return str(created["video_id"])

    def send(self, created: dict[str, Any], path: Path) -> None:
        """The file of an announced upload; a small one may be sent again."""
        target = created["upload"]
        if target["method"] == "post":
            form = {key: (None, value) for key, value in target["fields"].items()}
            with path.open("rb") as file:
                sent = requests.post(target["url"], files={**form, "file": file}, timeout=120)
            assert sent.status_code in (200, 201, 204), sent.text
        else:
            self._upload_parts(created["video_id"], path, target)

    def _upload_parts(self, video_id: str, path: Path, target: dict[str, Any]) -> None:
        parts = []
        with path.open("rb") as file:
            for signed in self._signed_parts(video_id, target["part_count"]):
                sent = requests.put(
                    signed["url"], data=file.read(target["part_size_bytes"]), timeout=120
                )
                assert sent.status_code == 200, sent.text
                parts.append({"part_number": signed["part_number"], "etag": sent.headers["ETag"]})
        done = self.api("POST", f"/uploads/{video_id}/complete", {"parts": parts})
        assert done.status_code == 202, done.text

    def _signed_parts(self, video_id: str, count: int) -> Iterator[dict[str, Any]]:
        """In their order; the URLs hold for minutes, and 100 may be asked for at a time."""
        for first in range(1, count + 1, MOST_PARTS_AT_ONCE):
            numbers = list(range(first, min(first + MOST_PARTS_AT_ONCE, count + 1)))
            body = {"part_numbers": numbers}
            yield from self.api("POST", f"/uploads/{video_id}/parts", body).json()["parts"]

    def wait(
        self,
        video_id: str,
        *statuses: str,
        timeout_s: float = 400,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> dict[str, Any]:
        """The video once its status is one of `statuses` (any final one by default)."""
        wanted = statuses or TERMINAL

        def reached() -> dict[str, Any] | None:
            meanwhile()
            try:
                video = self.video(video_id)
            except (requests.ConnectionError, FileNotFoundError, ValueError, AssertionError):
                return None  # LocalStack may be on its way up again
            if video["status"] in TERMINAL and video["status"] not in wanted:
                raise AssertionError(f"{video_id} is {video['status']}: {video.get('reason')}")
            return video if video["status"] in wanted else None

        return eventually(f"{video_id} {'/'.join(wanted)}", reached, timeout_s, every_s=0.5)

    def processes(self, *words: str) -> list[psutil.Process]:
        """Live descendants of `up` whose command line has all the words."""
        assert self.process is not None
        found = []
        for child in psutil.Process(self.process.pid).children(recursive=True):
            try:
                line = " ".join(child.cmdline())
            except (psutil.NoSuchProcess, psutil.ZombieProcess):
                continue
            if all(word in line for word in words):
                found.append(child)
        return found
