"""The direct way from REST APIs and event source mappings to functions.

LocalStack has them call Lambda as a stranger would: a request is built, signed, parsed and answered
inside one process, which takes several times as long as the invocation.
"""

# LocalStack lives in another virtual environment: its types are unknown where types are checked.
# mypy: disable-error-code="import-not-found, misc, no-any-return"

from __future__ import annotations

import io
import uuid
from typing import Any

from localstack.aws.api.lambda_ import InvocationType
from localstack.services.apigateway.next_gen.execute_api.integrations.aws import (
    RestApiAwsProxyIntegration,
)
from localstack.services.lambda_.api_utils import function_locators_from_arn
from localstack.services.plugins import SERVICE_PLUGINS


def install() -> None:
    """REST APIs' proxy integrations take the direct way."""
    RestApiAwsProxyIntegration.call_lambda = staticmethod(_for_rest_api)


class DirectLambda:
    """What event source mappings use of a Lambda client."""

    def invoke(
        self,
        *,
        FunctionName: str,  # noqa: N803 - boto3's names
        Payload: str,  # noqa: N803
        Qualifier: str | None = None,  # noqa: N803
        **_: str,
    ) -> dict[str, Any]:
        """Lambda's Invoke, of a function's ARN, waiting for the result.

        Raises:
            ServiceException: LocalStack's; nothing was started.
        """
        request_id = str(uuid.uuid4())
        result = _invoked(FunctionName, Payload.encode(), request_id, Qualifier)
        return {
            "StatusCode": 200,
            "Payload": io.BytesIO(result.payload),
            **({"FunctionError": "Unhandled"} if result.is_error else {}),
            "ExecutedVersion": result.executed_version,
            "ResponseMetadata": {"RequestId": request_id},
        }


def _for_rest_api(
    function_arn: str,
    event: bytes,
    source_arn: str,  # noqa: ARG001 - LocalStack's signature; it checks no permission either
    credentials: str | None = None,  # noqa: ARG001
) -> bytes:
    return _invoked(function_arn, event, str(uuid.uuid4())).payload


def _invoked(arn: str, payload: bytes, request_id: str, qualifier: str | None = None) -> Any:
    name, own_qualifier, account, region = function_locators_from_arn(arn)
    return SERVICE_PLUGINS.require("lambda")._provider.lambda_service.invoke(
        function_name=name,
        qualifier=qualifier or own_qualifier,
        region=region,
        account_id=account,
        invocation_type=InvocationType.RequestResponse,
        client_context=None,
        request_id=request_id,
        trace_context={},
        payload=payload,
        user_agent="",
    )
