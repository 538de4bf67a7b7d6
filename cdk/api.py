"""The REST API: Chalice packages `app.py` and describes its routes, CDK deploys what it says."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aws_cdk import Aws, CfnResource, Fn, Stack
from aws_cdk import aws_lambda as lambda_
from chalice.cdk import Chalice
from constructs import Construct

from cdk.functions import API, PREFIX, memory_mb
from cdk.permissions import Resources, environment, execution_role
from cdk.pipeline import ROOT, RUNTIME, log_group

STAGE = "api"
_RETRY_AFTER_S = {"THROTTLED": 1, "QUOTA_EXCEEDED": 3600}
"""Of what API Gateway refuses before the function hears of it."""


class Api(Construct):
    """API Gateway in front of one function, which has the layer and a role of the table's row."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        resources: Resources,
        layer: lambda_.LayerVersion,
    ) -> None:
        super().__init__(scope, construct_id)
        settings = resources.settings
        log = log_group(self, "Log", API.name, settings)
        role = execution_role(self, "Role", API, resources, log)
        config = {
            "api_gateway_stage": STAGE,
            "api_gateway_endpoint_type": "REGIONAL",
            "manage_iam_role": False,
            "iam_role_arn": role.role_arn,
            "autogen_policy": False,
            "layers": [layer.layer_version_arn],
            "lambda_timeout": API.timeout_s,
            "lambda_memory_size": memory_mb(API, settings),
            "environment_variables": environment(API, resources),
        }
        chalice = _package(self, config)
        function: CfnResource = chalice.get_resource("APIHandler")
        function.add_property_override("FunctionName", f"{PREFIX}-{API.name}")
        # Chalice takes the machine's Python and architecture; ours are the same on every machine.
        function.add_property_override("Runtime", RUNTIME.name)
        function.add_property_override("Architectures", [settings.architecture])
        if settings.xray:
            function.add_property_override("Tracing", "Active")
        function.node.add_dependency(log)
        rest_api: CfnResource = chalice.get_resource("RestAPI")
        rest_api.add_property_override("Name", f"{PREFIX}-{API.name}")
        # Without a version SAM also deploys a second, unasked stage named "Stage".
        rest_api.add_property_override("OpenApiVersion", "2.0")
        rest_api.add_property_override("GatewayResponses", _refusals())
        self.api_id = rest_api.ref
        # SAM makes the stage; it is there only once its own name for it was asked for.
        stage = Fn.ref(f"{Stack.of(self).resolve(rest_api.logical_id)}.Stage")
        where = f"arn:{Aws.PARTITION}:apigateway:{Aws.REGION}"
        self.stage_arn = f"{where}::/restapis/{self.api_id}/stages/{stage}"


def _refusals() -> dict[str, Any]:
    """API Gateway's own 429 as the function's: readable by any page, a problem document (of RFC
    9457's type for a mere status), with the time to wait."""
    problem = {"type": "about:blank", "title": "Too Many Requests", "status": 429}
    return {
        name: {
            "StatusCode": 429,
            "ResponseTemplates": {"application/json": json.dumps(problem)},
            "ResponseParameters": {
                "Headers": {
                    "Retry-After": f"'{seconds}'",
                    "Content-Type": "'application/problem+json'",
                    "Access-Control-Allow-Origin": "'*'",
                    "Access-Control-Expose-Headers": "'Retry-After'",
                }
            },
        }
        for name, seconds in _RETRY_AFTER_S.items()
    }


def _package(scope: Construct, config: dict[str, Any]) -> Chalice:
    """Run Chalice in a folder of its own: it reads `requirements.txt` (here none: the layer has
    the dependencies, so nothing is downloaded) and leaves files in the working directory."""
    # Chalice makes a client to learn the partition's service names; it calls nothing with it.
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    with TemporaryDirectory() as folder, contextlib.chdir(folder):
        source = Path(folder) / "source"
        (source / ".chalice").mkdir(parents=True)
        (source / ".chalice" / "config.json").write_text(
            json.dumps({"version": "2.0", "app_name": PREFIX})
        )
        shutil.copy2(ROOT / "app.py", source)
        if (ROOT / "chalicelib").is_dir():
            shutil.copytree(
                ROOT / "chalicelib",
                source / "chalicelib",
                ignore=shutil.ignore_patterns("__pycache__"),
            )
        return Chalice(scope, "Chalice", source_dir=str(source), stage_config=config)
