"""The commands a reader would copy from the README are run as they stand there."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from tests.harness.pipeline import REPOSITORY, Pipeline

pytestmark = [pytest.mark.needs_cloud, pytest.mark.needs_engine]


def test_readme_uploads_a_video_when_its_commands_are_run(pipeline: Pipeline) -> None:
    readme = (REPOSITORY / "README.md").read_text()
    section = readme.split("## The same through the API")[1]
    match = re.search(r"```bash\n(.*?)```", section, re.DOTALL)
    assert match is not None
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", match.group(1) + '\necho; echo "id=$id"'],
        cwd=REPOSITORY,
        env={**os.environ, "MILLRACE_STATE_DIR": str(pipeline.state_dir)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    video_id = done.stdout.rsplit("id=", 1)[1].strip()
    assert pipeline.wait(video_id, "completed")["title"] == "bigbuckbunny"
