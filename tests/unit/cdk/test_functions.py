"""The table of functions against `functions/`, the settings and the template."""

from __future__ import annotations

from typing import Any

from cdk.functions import API, FUNCTIONS, Package
from millrace import config, keys, prices
from tests.unit.cdk.support import REPOSITORY, Synthesis

TABLE = {spec.name: spec for spec in (*FUNCTIONS, API)}


def test_table_equals_the_folders_when_functions_are_listed() -> None:
    folders = {
        path.name for path in (REPOSITORY / "functions").iterdir() if (path / "handler.py").exists()
    }
    assert folders == {spec.name for spec in FUNCTIONS}


def test_every_function_has_its_timeout_and_memory_when_synthesised(template: Synthesis) -> None:
    found = {
        name: (item["Timeout"], item["MemorySize"]) for name, item in template.functions().items()
    }
    assert found == {name: (spec.timeout_s, spec.memory_mb) for name, spec in TABLE.items()}


def test_engine_may_use_more_when_its_function_is_given_more(direct: Synthesis) -> None:
    transcode = direct.functions()["transcode"]
    assert transcode["MemorySize"] == 8192
    variables = transcode["Environment"]["Variables"]
    assert int(variables["MILLRACE_MAX_MEMORY_BYTES"]) == (8192 - 256) << 20


def test_functions_get_exactly_the_variables_they_read_when_synthesised(
    template: Synthesis,
) -> None:
    for name, item in template.functions().items():
        given = {key for key in item["Environment"]["Variables"] if key.startswith("MILLRACE_")}
        # The image brings its engine: its path is no deployment's business.
        read = {config.variable(field) for field in config.NEEDS[name] if field != "engine"}
        assert given == read, name


def test_functions_name_themselves_to_powertools_when_synthesised(template: Synthesis) -> None:
    for name, item in template.functions().items():
        variables = item["Environment"]["Variables"]
        assert variables["POWERTOOLS_SERVICE_NAME"] == name
        assert variables["POWERTOOLS_METRICS_NAMESPACE"] == "Millrace"


def test_zip_functions_share_the_layer_and_images_have_none_when_synthesised(
    template: Synthesis,
) -> None:
    (layer,) = template.resources("AWS::Lambda::LayerVersion")
    for name, item in template.functions().items():
        if TABLE[name].package is Package.ZIP:
            assert item["Layers"] == [{"Ref": layer}], name
            assert item["Runtime"] == "python3.11"
            assert item["Handler"] == ("app.app" if name == "api" else "handler.handler")
        else:
            assert item["PackageType"] == "Image"
            assert "Layers" not in item


def test_estimates_and_permissions_are_of_what_is_deployed_when_compared() -> None:
    assert {name: TABLE[name].memory_mb for name in prices.MEMORY_MB} == prices.MEMORY_MB
    shards = {keys.tally_pk(shard) for shard in range(keys.TALLY_SHARDS)}
    assert set(TABLE["monitor"].access.deletes) == shards


def test_every_function_has_a_log_that_expires_when_synthesised(template: Synthesis) -> None:
    logs = template.named("AWS::Logs::LogGroup", "LogGroupName")
    assert set(logs) == {f"/aws/lambda/millrace-{name}" for name in TABLE}
    assert {item["RetentionInDays"] for item in logs.values()} == {30}


def test_monitor_runs_every_minute_and_is_not_retried_when_synthesised(
    template: Synthesis,
) -> None:
    (rule,) = template.resources("AWS::Events::Rule").values()
    assert rule["Properties"]["ScheduleExpression"] == "rate(1 minute)"
    (target,) = rule["Properties"]["Targets"]
    assert template.readable(target["Arn"]) == "millrace-monitor"
    assert target["RetryPolicy"] == {"MaximumRetryAttempts": 0}


def _take_xray_off(synthesis: Synthesis) -> set[str]:
    """Remove all that the switch adds; names of the functions it was added to."""
    traced = set()
    for name, function in synthesis.functions().items():
        if function.pop("TracingConfig", None) == {"Mode": "Active"}:
            traced.add(name)
        if function.pop("Tracing", None) == "Active":
            traced.add(name)
        role = synthesis.template["Resources"][function["Role"]["Fn::GetAtt"][0]]["Properties"]
        statements = role["Policies"][0]["PolicyDocument"]["Statement"]
        if statements[-1]["Resource"] == "*":
            actions = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
            assert statements.pop()["Action"] == actions
    return traced


def test_images_differ_only_in_their_code_when_taken_from_a_repository(
    syntheses: dict[str, Synthesis],
) -> None:
    def without_images(synthesis: Synthesis) -> list[dict[str, dict[str, Any]]]:
        functions = synthesis.resources("AWS::Lambda::Function")
        for item in functions.values():
            properties = item["Properties"]
            if properties.get("PackageType") == "Image":
                images.append(synthesis.readable(properties.pop("Code")["ImageUri"]))
            # The two deployments are served and sized differently.
            del properties["MemorySize"]
            for name in ("MILLRACE_SITE_URL", "MILLRACE_MAX_MEMORY_BYTES"):
                properties["Environment"]["Variables"].pop(name, None)
        return [functions, synthesis.resources("AWS::IAM::Role")]

    images: list[str] = []
    built, taken = (Synthesis(syntheses[name].folder) for name in ("assets", "repository"))
    assert _take_xray_off(built) == set()
    assert _take_xray_off(taken) == set(TABLE)
    assert without_images(built) == without_images(taken)
    assert [uri.rpartition("/")[2] for uri in images[3:]] == [
        "millrace-probe:7",
        "millrace-transcode:7",
        "millrace-thumbnail:7",
    ]


def test_a_quarter_of_the_invocations_logs_all_when_a_deployment_chooses(
    template: Synthesis,
) -> None:
    variables = [each["Environment"]["Variables"] for each in template.functions().values()]
    assert {each["POWERTOOLS_LOGGER_SAMPLE_RATE"] for each in variables} == {"0.25"}
