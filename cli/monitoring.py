"""Puts together the folder that Prometheus reads: see docs/how-to/monitoring.md."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from cli import aws
from cli.state import REPOSITORY, replace_text

SOURCES = REPOSITORY / "cdk" / "monitoring"
FILES = ("prometheus.yml", "alerts.yml")


def prepare_monitoring(folder: Path, api_url: str, port: int) -> None:
    """Configuration, the API's address, and a token that opens nothing but `/metrics`.

    Args:
        folder: is made; a token that is there is kept.
        port: of the LocalStack that has the table of tokens.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copyfile(SOURCES / name, folder / name)
    token = folder / "metrics.token"
    if not token.exists():
        replace_text(token, aws.new_token(port, "prometheus", ["metrics"]) + "\n", mode=0o600)
    # JSON is YAML, too.
    replace_text(folder / "targets" / "millrace.yml", json.dumps([{"targets": [api_url]}]) + "\n")
