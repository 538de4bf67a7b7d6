"""The bill of materials of an image, made of packages that are told here."""

from __future__ import annotations

import copy
import importlib.util
import json
import re
import sys
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from cyclonedx.model.bom import Bom
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

REPOSITORY = Path(__file__).resolve().parents[3]
DOCKERFILE = (REPOSITORY / "functions" / "Dockerfile").read_text()
LINES = ("libc6\t2.36-9+deb12u14\tamd64", "libstdc++6\t12.2.0-14\tamd64", "tzdata\t1:2026b\tall")


@pytest.fixture(scope="module")
def sbom() -> ModuleType:
    spec = importlib.util.spec_from_file_location("sbom", REPOSITORY / "functions" / "sbom.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def bill(sbom: ModuleType) -> dict[str, Any]:
    python = sbom.python(metadata.distribution(name) for name in ("boto3", "pillow", "PyYAML"))
    document: dict[str, Any] = sbom.document("millrace-probe", [*sbom.debian(LINES), *python])
    return document


def problem(bill: dict[str, Any]) -> object:
    return JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill))


def test_bill_keeps_to_the_schema_when_made(bill: dict[str, Any]) -> None:
    assert problem(bill) is None
    broken = copy.deepcopy(bill)
    broken["components"][0]["type"] = "parcel"
    assert problem(broken) is not None


def test_every_package_is_found_when_another_program_reads_the_bill(bill: dict[str, Any]) -> None:
    read = Bom.from_json(bill)  # type: ignore[attr-defined]  # made by a decorator
    assert read.metadata.component.name == "millrace-probe"
    told = {(item.purl.type, item.purl.name, item.purl.version) for item in read.components}
    assert told == {
        *(("deb", *line.split("\t")[:2]) for line in LINES),
        *(("pypi", name, metadata.version(name)) for name in ("boto3", "pillow", "pyyaml")),
    }
    libc = next(item.purl for item in read.components if item.name == "libc6")
    assert libc.qualifiers == {"arch": "amd64", "distro": "debian-12"}


def test_bill_is_the_same_when_made_again(sbom: ModuleType, bill: dict[str, Any]) -> None:
    again = sbom.document("millrace-probe", reversed(bill["components"]))
    assert again == bill
    other = sbom.document("millrace-probe", bill["components"][1:])
    assert other["serialNumber"] != bill["serialNumber"]


def test_whole_is_written_when_run_as_a_program(
    sbom: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    compiled_in = tmp_path / "compiled-in"
    compiled_in.write_text("nlohmann-json3-dev\t3.11.2-2\tall\n")
    monkeypatch.setattr(sys, "argv", ["sbom.py", "millrace-probe", str(compiled_in)])
    sbom.main()
    bill = json.loads(capsys.readouterr().out)
    assert problem(bill) is None
    assert {"dpkg", "nlohmann-json3-dev", "boto3"} <= {item["name"] for item in bill["components"]}


def test_services_are_kept_when_functions_call_them() -> None:
    """The image keeps botocore's descriptions of these alone."""
    kept = re.search(r"'\./\(([\w|]+)\)'", DOCKERFILE)
    assert kept is not None
    sources = [*(REPOSITORY / "layers/core/python/millrace").rglob("*.py")]
    text = "".join(path.read_text() for path in sources)
    called = set(re.findall(r"(?:client|resource)\(\s*\"(\w+)\"", text)) | {"dynamodb"}
    assert len(called) > 4
    assert called <= set(kept[1].split("|"))
