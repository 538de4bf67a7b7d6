"""The WebSocket API that a CloudFormation template describes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_BODY_PREFIX = "$request.body."


class TemplateError(Exception):
    """The template has no WebSocket API that can be served, and why."""


@dataclass(frozen=True, slots=True)
class SocketApi:
    """What is served.

    Attributes:
        stage: first part of every path.
        selector: name of the body's member that chooses the route.
        routes: route key, e.g. `$default`, → name of the function.
    """

    stage: str
    selector: str
    routes: Mapping[str, str]


def read(path: Path) -> SocketApi:
    """
    Raises:
        TemplateError: there is not exactly one WebSocket API, or it uses what is not supported.
    """
    resources: dict[str, Any] = json.loads(path.read_text())["Resources"]
    apis = [
        properties
        for _, properties in _of(resources, "Api")
        if properties.get("ProtocolType") == "WEBSOCKET"
    ]
    stages = [properties["StageName"] for _, properties in _of(resources, "Stage")]
    if len(apis) != 1 or len(stages) != 1:
        raise TemplateError(f"{path} has {len(apis)} WebSocket APIs with {len(stages)} stages")
    expression = apis[0]["RouteSelectionExpression"]
    selector = expression.removeprefix(_BODY_PREFIX)
    if not expression.startswith(_BODY_PREFIX) or not selector.isidentifier():
        raise TemplateError(f"routes are selected by $request.body.NAME here, not {expression!r}")
    functions = {
        name: _function(resources, properties["IntegrationUri"])
        for name, properties in _of(resources, "Integration")
    }
    routes = {
        properties["RouteKey"]: functions[_reference(properties["Target"])]
        for _, properties in _of(resources, "Route")
    }
    return SocketApi(stages[0], selector, routes)


def _of(resources: Mapping[str, Any], kind: str) -> list[tuple[str, dict[str, Any]]]:
    return [
        (name, item["Properties"])
        for name, item in resources.items()
        if item["Type"] == f"AWS::ApiGatewayV2::{kind}"
    ]


def _reference(target: Any) -> str:
    """`integrations/{Ref}`, as CDK joins it."""
    _, parts = target["Fn::Join"]
    return str(parts[-1]["Ref"])


def _function(resources: Mapping[str, Any], uri: Any) -> str:
    """Physical name of the function in an integration's URI."""
    _, parts = uri["Fn::Join"]
    for part in parts:
        if isinstance(part, dict) and "Fn::GetAtt" in part:
            return str(resources[part["Fn::GetAtt"][0]]["Properties"]["FunctionName"])
    raise TemplateError("an integration of the WebSocket API leads to no function")
