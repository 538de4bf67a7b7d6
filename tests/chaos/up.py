"""`./millrace up` with a proxy before the cloud and a small disk for temporary files.

MILLRACE_CHAOS_ENDPOINT is what functions get as AWS_ENDPOINT_URL; MILLRACE_CHAOS_DISK the folder
to mount a file system of MILLRACE_CHAOS_DISK_MIB on, in a mount namespace that only this process
and its children see.
"""

from __future__ import annotations

import dataclasses
import os
import subprocess
from pathlib import Path

import cli.up
from cli.__main__ import main
from cli.state import State
from local import server

_cloud_config = cli.up._cloud_config


def _disturbed(state: State, port: int) -> server.CloudConfig:
    config = _cloud_config(state, port)
    extra = {"MILLRACE_LOCAL_ENDPOINT_URL": os.environ["MILLRACE_CHAOS_ENDPOINT"]}
    return dataclasses.replace(config, extra_environment=extra)


def _mount_disk(folder: Path, mebibytes: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    options = f"size={mebibytes}m"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "chaos", str(folder)], check=True)


if __name__ == "__main__":
    if disk := os.environ.get("MILLRACE_CHAOS_DISK"):
        _mount_disk(Path(disk), os.environ["MILLRACE_CHAOS_DISK_MIB"])
    cli.up._cloud_config = _disturbed
    main(["up"], prog_name="./millrace")
