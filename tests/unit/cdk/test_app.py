"""The assembly as a whole: the API, the outputs, and what must not be in it."""

from __future__ import annotations

import json
import re
import zipfile

import pytest

from local.websocket_gateway import template as socket_template
from tests.unit.cdk.support import Synthesis


def test_api_package_holds_only_the_app_and_chalice_when_synthesised(template: Synthesis) -> None:
    (package,) = template.folder.glob("asset.*.zip")
    with zipfile.ZipFile(package) as archive:
        names = {name for name in archive.namelist() if not name.startswith("chalicelib/")}
    assert names == {"app.py", "chalice/app.py", "chalice/__init__.py"}


def test_api_has_one_stage_and_one_regional_endpoint_when_synthesised(template: Synthesis) -> None:
    (api,) = template.resources("AWS::Serverless::Api").values()
    properties = api["Properties"]
    assert properties["StageName"] == "api"
    assert properties["EndpointConfiguration"] == "REGIONAL"
    assert properties["OpenApiVersion"], "without it SAM adds a second stage"
    assert "/videos/{video_id}" in properties["DefinitionBody"]["paths"]


def test_outputs_name_everything_a_deployment_needs_when_synthesised(template: Synthesis) -> None:
    assert {
        *("ApiId", "ApiStage", "ApiUrl", "SiteUrl", "UploadsBucket", "SiteBucket", "Table"),
        *("IngestQueue", "ProbeQueue", "TranscodeQueue", "ThumbnailQueue", "PublishQueue"),
        *("NotifyQueue", "EventsTopic", "SignalUrl"),
    } <= set(template.template["Outputs"])


def test_template_names_no_account_or_region_when_synthesised(template: Synthesis) -> None:
    text = (template.folder / "Millrace.template.json").read_text()
    assert not re.search(r"(?<![0-9a-f])\d{12}(?![0-9a-f])", text)
    assert not re.search(r"\b(us|eu|ap|sa|ca)-(east|west|north|south|central)-\d", text)


def test_template_has_nothing_that_localstack_ignores_when_synthesised(
    template: Synthesis,
) -> None:
    kinds = {item["Type"] for item in template.template["Resources"].values()}
    assert not {kind for kind in kinds if kind.startswith("Custom::")}


def test_image_context_holds_what_the_dockerfile_copies_when_synthesised(
    template: Synthesis,
) -> None:
    contexts = [path.parent for path in template.folder.glob("asset.*/requirements.txt")]
    assert len(contexts) == 3
    for context in contexts:
        text = (context / "functions" / "Dockerfile").read_text()
        copied = " ".join(re.findall(r"^COPY ([^-].*) \S+$", text, re.MULTILINE)).split()
        for source in [*copied, *re.findall(r"type=bind,source=([^,]+)", text)]:
            if "${FUNCTION}" not in source:
                assert (context / source).exists(), source
        handlers = list(context.glob("functions/*/handler.py"))
        assert len(handlers) == 1, "a change of one function must not rebuild another"
        assert not list(context.rglob("__pycache__"))


def test_every_websocket_route_leads_to_the_signal_function_when_synthesised(
    template: Synthesis,
) -> None:
    (api,) = template.resources("AWS::ApiGatewayV2::Api").values()
    assert api["Properties"]["RouteSelectionExpression"] == "$request.body.action"
    routes = template.named("AWS::ApiGatewayV2::Route", "RouteKey")
    assert set(routes) == {"$connect", "$disconnect", "$default"}
    integrations = template.resources("AWS::ApiGatewayV2::Integration")
    for route in routes.values():
        (_, (_, target)) = route["Target"]["Fn::Join"]
        uri = integrations[target["Ref"]]["Properties"]["IntegrationUri"]
        assert "millrace-signal" in template.readable(uri)


def test_gateway_of_one_machine_reads_the_websocket_api_when_synthesised(
    template: Synthesis,
) -> None:
    read = socket_template.read(template.folder / "Millrace.template.json")
    assert (read.stage, read.selector) == ("signal", "action")
    assert set(read.routes.values()) == {"millrace-signal"}


@pytest.mark.parametrize("refusal", ["THROTTLED", "QUOTA_EXCEEDED"])
def test_gateways_own_refusal_tells_when_to_come_back_when_synthesised(
    template: Synthesis, refusal: str
) -> None:
    (api,) = template.resources("AWS::Serverless::Api").values()
    answer = api["Properties"]["GatewayResponses"][refusal]
    headers = answer["ResponseParameters"]["Headers"]
    assert answer["StatusCode"] == 429
    assert int(headers["Retry-After"].strip("'")) >= 1
    assert headers["Access-Control-Allow-Origin"] == "'*'"
    document = json.loads(answer["ResponseTemplates"]["application/json"])
    assert document["status"] == 429
    assert headers["Content-Type"] == "'application/problem+json'"
