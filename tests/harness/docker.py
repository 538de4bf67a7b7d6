"""A Docker daemon of the tests' own, and the images built with it.

It has no network of its own (`--bridge none`): it meddles with no other daemon's rules, and what it
runs shares this machine's. Nothing is pulled: the base is made of Debian's packages.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
BASE = "millrace-base"
LABEL = "millrace-test"


@dataclass(frozen=True)
class Docker:
    """The client of one daemon."""

    host: str
    """As in DOCKER_HOST."""

    @property
    def client(self) -> tuple[str, ...]:
        # Another client earlier on PATH may lack BuildKit.
        return ("/usr/bin/docker", "--host", self.host)

    def __call__(self, *arguments: str) -> str:
        """Its standard output; fails the test with what it wrote when the command fails."""
        environment = {**os.environ, "DOCKER_BUILDKIT": "1"}
        done = subprocess.run(
            [*self.client, *arguments], capture_output=True, text=True, env=environment, check=False
        )
        if done.returncode != 0:
            tail = (done.stdout + done.stderr)[-4000:]
            pytest.fail(f"docker {' '.join(arguments)}: {done.returncode}\n{tail}")
        return done.stdout

    def run(self, image: str, *command: str, options: Sequence[str] = ()) -> str:
        """Run with nothing to write to but /tmp, and without a network."""
        entrypoint, *rest = command
        return self(
            *("run", "--rm", "--init", "--read-only", "--tmpfs", "/tmp", "--network", "none"),
            *("--cap-drop", "ALL", "--security-opt", "no-new-privileges:true", *options),
            *("--entrypoint", entrypoint, image, *rest),
        )

    def build(self, dockerfile: str, tag: str, **arguments: str) -> str:
        """Returns the tag."""
        given = {"BASE": BASE, **arguments}
        self(
            *("build", "--network", "host", "--file", dockerfile, "--tag", tag),
            *("--secret", f"id=ca,src={CERTIFICATES}"),
            *(part for name, value in given.items() for part in ("--build-arg", f"{name}={value}")),
            str(REPOSITORY),
        )
        return tag

    def succeeds(self, *arguments: str) -> bool:
        done = subprocess.run([*self.client, *arguments], capture_output=True, check=False)
        return done.returncode == 0

    def has(self, image: str) -> bool:
        return bool(self("images", "--quiet", image))

    def compressed_bytes(self, image: str) -> int:
        """As a registry would hold it, with the quickest compression there is."""
        saved = subprocess.Popen([*self.client, "save", image], stdout=subprocess.PIPE)
        packed = subprocess.Popen(["gzip", "-1"], stdin=saved.stdout, stdout=subprocess.PIPE)
        assert saved.stdout is not None
        assert packed.stdout is not None
        saved.stdout.close()
        size = 0
        while part := packed.stdout.read(1 << 20):
            size += len(part)
        assert (saved.wait(), packed.wait()) == (0, 0)
        return size

    def remove_containers(self) -> None:
        """All that carry `LABEL`, whoever started them; some may be on their way out already."""
        listing = ("ps", "--all", "--quiet", "--filter", f"label={LABEL}")
        deadline = time.monotonic() + 30
        while found := self(*listing).split():
            assert time.monotonic() < deadline, f"containers stay: {found}"
            if not self.succeeds("rm", "--force", *found):
                time.sleep(0.2)


@contextlib.contextmanager
def daemon(folder: Path) -> Iterator[Docker]:
    """Args: folder: keeps images and the builds' caches, so that the next run is quick."""
    folder.mkdir(parents=True, exist_ok=True)
    docker = Docker(f"unix://{folder}/docker.sock")
    with (folder / "dockerd.log").open("wb") as log:
        process = subprocess.Popen(
            [
                *("dockerd", "--data-root", str(folder / "data"), "--bridge", "none"),
                *("--exec-root", str(folder / "exec"), "--pidfile", str(folder / "pid")),
                *("--iptables=false", "--host", docker.host),
            ],
            stdout=log,
            stderr=log,
        )
    try:
        _wait_for(docker, process, folder / "dockerd.log")
        yield docker
    finally:
        process.terminate()
        process.wait(60)


def _wait_for(docker: Docker, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        if docker.succeeds("info"):
            return
        time.sleep(0.2)
    pytest.fail(f"dockerd did not start:\n{log.read_text()[-4000:]}")


def make_base(docker: Docker) -> None:
    """Debian 12 with little but what apt needs, some more than debian:bookworm-slim."""
    made = subprocess.Popen(
        ["mmdebstrap", "--variant=apt", "bookworm", "-"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    subprocess.run([*docker.client, "import", "-", BASE], stdin=made.stdout, check=True)
    assert made.wait() == 0
