"""Synthesises the app twice for all tests here, as a stranger's machine would: no account, no
credentials, no network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.cdk.support import REPOSITORY, Synthesis

NOWHERE = "http://127.0.0.1:9"
CONTEXTS = {
    "assets": {
        **{"layer": "layers/core", "waf": "true", "waf_requests_per_minute": "60"},
        **{"monthly_budget_usd": "50", "budget_email": "me@example.org"},
        **{"alarm_email": "on-call@example.org", "debug_percent": "25"},
    },
    "repository": {
        **{"layer": "layers/core", "image_repository": "millrace", "image_tag": "7"},
        **{"xray": "true", "cdn": "false", "transcode_memory_mb": "8192"},
        **{"upload_retention_days": "30", "debug_percent": "25"},
    },
}


def _start(context: dict[str, str], output: Path) -> subprocess.Popen[str]:
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.defpath}",
        "PYTHONPATH": str(REPOSITORY / "layers" / "core" / "python"),
        "HOME": str(output.parent),
        "CDK_OUTDIR": str(output),
        "CDK_CONTEXT_JSON": json.dumps(context),
        "HTTP_PROXY": NOWHERE,
        "HTTPS_PROXY": NOWHERE,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "cdk.app"],
        cwd=REPOSITORY,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


@pytest.fixture(scope="session")
def syntheses(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Synthesis]:
    """Both templates: with all that guards it, and images built from the sources; and with images
    taken from a repository, a public bucket, traced by X-Ray."""
    root = tmp_path_factory.mktemp("cdk")
    running = {name: _start(context, root / name) for name, context in CONTEXTS.items()}
    for process in running.values():
        output, _ = process.communicate(timeout=600)
        assert process.returncode == 0, output
    return {name: Synthesis(root / name) for name in running}


@pytest.fixture(scope="session")
def template(syntheses: dict[str, Synthesis]) -> Synthesis:
    return syntheses["assets"]


@pytest.fixture(scope="session")
def direct(syntheses: dict[str, Synthesis]) -> Synthesis:
    """Without CloudFront."""
    return syntheses["repository"]
