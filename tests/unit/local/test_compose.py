"""docker-compose.yml and its image's Dockerfile, as far as they can be judged without Docker."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from cdk.layer import LAYER
from cli.deploy_cdk import ASSEMBLIES
from cli.monitoring import SOURCES
from cli.up import up

REPOSITORY = Path(__file__).resolve().parents[3]
SCHEMA = json.loads((Path(__file__).with_name("compose_schema") / "compose-spec.json").read_text())
DOCKERFILE = (REPOSITORY / "local" / "Dockerfile").read_text()


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())
    return found


def test_file_keeps_to_the_compose_specification_when_validated(compose: dict[str, Any]) -> None:
    jsonschema.Draft7Validator(SCHEMA).validate(compose)
    broken = {**compose, "services": {"millrace": {"image": 1}}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(SCHEMA).validate(broken)


def test_images_are_pinned_when_they_are_pulled(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+\.\d+", service["image"])


def test_engine_has_the_libraries_of_the_functions_image_when_run_in_docker() -> None:
    """One engine, one Debian."""
    functions = (REPOSITORY / "functions" / "Dockerfile").read_text()
    ours, theirs = (
        set(re.findall(r" (lib[a-z0-9]+[\d-]*\d)(?= )", text.rpartition("apt-get install")[2]))
        for text in (DOCKERFILE, functions)
    )
    assert "libseccomp2" in theirs
    assert ours == theirs


def test_ports_are_open_to_this_machine_alone_when_published(compose: dict[str, Any]) -> None:
    ports = compose["services"]["millrace"]["ports"]
    assert all(re.fullmatch(r"127\.0\.0\.1:(\d+):\1", port) for port in ports)
    assert not any("ports" in item for item in _monitoring(compose))


def _monitoring(compose: dict[str, Any]) -> list[dict[str, Any]]:
    return [item for item in compose["services"].values() if "profiles" in item]


def test_up_listens_where_the_ports_lead_when_started(compose: dict[str, Any]) -> None:
    service = compose["services"]["millrace"]
    options = {str(option.envvar): option for option in up.params if hasattr(option, "envvar")}
    assert set(service["environment"]) <= set(options)
    port = int(str(options["MILLRACE_PORT"].default))
    assert f"127.0.0.1:{port}:{port}" in service["ports"]
    assert f"127.0.0.1:{port + 1}:{port + 1}" in service["ports"]
    assert f"EXPOSE {port} {port + 1}" in DOCKERFILE


def test_paths_exist_when_they_are_mounted_or_built_from(compose: dict[str, Any]) -> None:
    build = compose["services"]["millrace"]["build"]
    assert (REPOSITORY / build["context"] / build["dockerfile"]).is_file()
    for service in compose["services"].values():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (REPOSITORY / source).is_dir(), source
                assert volume.endswith(":ro")
            else:
                assert source in compose["volumes"]


def test_nothing_has_rights_it_does_not_need_when_it_runs(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["read_only"] is True
    assert re.findall(r"^USER (\w+)$", DOCKERFILE, re.MULTILINE) == ["millrace"]
    assert "--chown" not in DOCKERFILE, "who runs the code could change it"


def test_folders_are_the_running_users_when_they_may_be_written_to(
    compose: dict[str, Any],
) -> None:
    service = compose["services"]["millrace"]
    owned = re.search(r"install -d -o millrace (/millrace/.*)", DOCKERFILE)
    assert owned is not None
    mounted = [item.partition(":")[2] for item in service["volumes"]]
    own = [item.partition(":")[0] for item in service["tmpfs"] if item.endswith(":uid=10001")]
    assert {*owned[1].split(), "/monitoring"} == {*mounted, *own}
    assert {ASSEMBLIES, LAYER.parent} == {
        REPOSITORY / Path(item).relative_to("/millrace") for item in own
    }


def test_prometheus_and_grafana_come_with_their_configuration_when_asked_for(
    compose: dict[str, Any],
) -> None:
    prometheus, grafana = (compose["services"][name] for name in ("prometheus", "grafana"))
    folder = compose["services"]["millrace"]["environment"]["MILLRACE_MONITORING"]
    assert f"--config.file={folder}/prometheus.yml" in prometheus["command"]
    assert f"monitoring:{folder}" in prometheus["volumes"]
    uid = re.search(r"--uid (\d+)", DOCKERFILE)
    assert uid is not None
    assert prometheus["user"] == uid[1], "it could not read its token"
    used = set()
    for file in (SOURCES / "provisioning").rglob("*.yml"):
        used |= set(re.findall(r"(?m)^[^#\n]*\$(MILLRACE_\w+)", file.read_text()))
    assert used
    assert used <= set(grafana["environment"])
    assert all((SOURCES / name).is_file() for name in ("prometheus.yml", "alerts.yml"))


def test_image_is_made_of_what_its_context_holds_when_built() -> None:
    ignore = (REPOSITORY / "local" / "Dockerfile.dockerignore").read_text().splitlines()
    taken = {line.removeprefix("!") for line in ignore if line.startswith("!")}
    assert all((REPOSITORY / name).exists() for name in taken)
    installed = re.findall(r"[\w./-]+(?:requirements[\w-]*\.txt|package-lock\.json)", _bootstrap())
    for name in installed:
        assert name.split("/")[0] in taken, name


def _bootstrap() -> str:
    return (REPOSITORY / "millrace").read_text()
