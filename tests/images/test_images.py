"""The functions' images as they are pushed: what is in them, and how they run."""

from __future__ import annotations

import json
import re

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tests.harness import media
from tests.harness.docker import REPOSITORY, Docker

pytestmark = [pytest.mark.exhaustive, pytest.mark.needs_docker, pytest.mark.needs_root]

SIZE_LIMIT = 200_000_000
SBOM = "/usr/share/doc/millrace/sbom.cdx.json"
PACKAGES = ("dpkg-query", "-W", "-f", "${Package}\n")
PYTHON = "/opt/python/bin/python"


def test_nobody_is_root_when_it_runs(docker: Docker, image: str) -> None:
    assert docker.run(image, "id", "-u").strip() == "10001"
    code = ("find", "/usr", "/opt", "/var/task")
    assert docker.run(image, *code, "-type", "f", "-perm", "/6000") == "", "sets the user"
    assert docker.run(image, *code, "!", "-user", "root") == ""
    assert docker.run(image, *code, "!", "-type", "l", "-perm", "-o=w") == ""


def test_handler_is_loaded_when_nothing_can_be_written_but_tmp(docker: Docker, image: str) -> None:
    """It fails at the first setting that it misses: until there, everything was imported."""
    script = (
        "import sys; sys.path.insert(0, '/var/task')\n"
        "try: import handler\n"
        "except Exception as error: print(type(error).__name__, error)\n"
        "open('/tmp/file', 'w').close()\n"
        "try: open('/var/task/file', 'w')\n"
        "except OSError as error: print(error.strerror)\n"
    )
    lines = docker.run(image, PYTHON, "-c", script).splitlines()
    assert re.match(r"\w*Error .*MILLRACE_TABLE", lines[0]), lines
    assert lines[1:] == ["Read-only file system"]


def test_size_is_below_the_limit_when_compressed(docker: Docker, image: str) -> None:
    assert docker.compressed_bytes(image) < SIZE_LIMIT


def test_engine_tells_of_a_film_when_run_in_the_image(docker: Docker, image: str) -> None:
    mounted = ("--volume", f"{media.SINTEL}:/film.mp4:ro")
    told = docker.run(image, "millrace-engine", "probe", "/film.mp4", options=mounted)
    facts = json.loads(told)
    assert [facts[kind][0]["codec"] for kind in ("video", "audio")] == ["h264", "aac"]


def test_licences_are_there_when_an_image_is_given_away(docker: Docker, image: str) -> None:
    without = 'for name; do [ -s "/usr/share/doc/$name/copyright" ] || echo "$name"; done'
    packages = [*docker.run(image, *PACKAGES).split(), "nlohmann-json3-dev"]
    assert "libx264-164" in packages
    asked = docker.run(image, "sh", "-c", without, "sh", *packages, "no-such-package")
    assert asked.split() == ["no-such-package"]
    for name in ("LICENSE", "THIRD_PARTY_NOTICES.md"):
        text = docker.run(image, "cat", f"/usr/share/doc/millrace/{name}")
        assert text == (REPOSITORY / name).read_text()


def test_bill_of_materials_tells_all_packages_when_asked(docker: Docker, image: str) -> None:
    text = docker.run(image, "cat", SBOM)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bill = json.loads(text)
    assert bill["metadata"]["component"]["name"] == image
    told = {(item["purl"].split("/")[0], item["name"]) for item in bill["components"]}
    packages = docker.run(image, *PACKAGES).split()
    assert {name for kind, name in told if kind == "pkg:deb"} == {*packages, "nlohmann-json3-dev"}
    assert {("pkg:pypi", name) for name in ("boto3", "awslambdaric", "pillow")} <= told
