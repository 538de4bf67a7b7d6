"""The commands a reader would copy from the README are run as they stand there."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from tests.harness.pipeline import REPOSITORY, Pipeline

pytestmark = [pytest.mark.needs_cloud, pytest.mark.needs_engine]


def run(script: str, pipeline: Pipeline) -> str:
    """What a page's commands print; they fail with the first of them."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=REPOSITORY,
        env={**os.environ, "MILLRACE_STATE_DIR": str(pipeline.state_dir)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_tutorial_shows_what_happened_when_its_commands_are_run(pipeline: Pipeline) -> None:
    clip = REPOSITORY / "tests/media/clips/bigbuckbunny.mp4"
    video_id = pipeline.upload(clip)
    pipeline.wait(video_id, "completed")
    tutorial = (REPOSITORY / "docs/tutorial/first-video.md").read_text()
    section = tutorial.split("## 5. See what happened")[1].split("\n## ")[0]
    blocks = re.findall(r"```bash\n(.*?)```", section, re.DOTALL)
    assert len(blocks) == 2
    shown = run("".join(blocks), pipeline)
    assert video_id in shown
    assert "video.completed" in shown


def test_readme_uploads_a_video_when_its_commands_are_run(pipeline: Pipeline) -> None:
    readme = (REPOSITORY / "README.md").read_text()
    section = readme.split("## The same through the API")[1]
    match = re.search(r"```bash\n(.*?)```", section, re.DOTALL)
    assert match is not None
    shown = run(match.group(1) + '\necho; echo "id=$id"', pipeline)
    video_id = shown.rsplit("id=", 1)[1].strip()
    assert pipeline.wait(video_id, "completed")["title"] == "bigbuckbunny"
