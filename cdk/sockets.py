"""The WebSocket API of the calls. The page speaks to it; the function `signal` answers."""

from __future__ import annotations

from aws_cdk import Aws, CfnElement, Stack
from aws_cdk import aws_apigatewayv2 as gateway
from aws_cdk import aws_lambda as lambda_
from aws_cdk.aws_apigatewayv2_integrations import WebSocketLambdaIntegration
from constructs import Construct

from cdk.functions import PREFIX, SOCKET_STAGE
from cdk.nag import acknowledge
from cdk.settings import Settings

_REQUESTS_PER_S, _BURST = 1000, 500
"""For all sockets together. One socket's share is counted by the function."""


class SocketApi(Construct):
    """`$connect`, `$disconnect` and `$default`, all to one function: messages are told apart there,
    where they are checked, and not by their `action` at the gateway."""

    def __init__(self, scope: Construct, construct_id: str, settings: Settings) -> None:
        super().__init__(scope, construct_id)
        self._api = gateway.WebSocketApi(
            self,
            "Api",
            api_name=f"{PREFIX}-signal",
            description="Signalling of calls",
            route_selection_expression="$request.body.action",
        )
        stage = gateway.WebSocketStage(
            self,
            "Stage",
            web_socket_api=self._api,
            stage_name=SOCKET_STAGE,
            auto_deploy=True,
            throttle=gateway.ThrottleSettings(rate_limit=_REQUESTS_PER_S, burst_limit=_BURST),
        )
        acknowledge(
            stage,
            "APIG1",
            "Who called whom, and when, is nobody's business: there is no access log.",
        )
        host = f"{self._api.api_id}.execute-api.{Aws.REGION}.{Aws.URL_SUFFIX}"
        self.url = f"wss://{host}/{SOCKET_STAGE}"
        self.callback_url = settings.callback_url or f"https://{host}/{SOCKET_STAGE}"

    def arn(self, method: str) -> str:
        """Of a method of `@connections`, for every socket."""
        where = f"{Aws.PARTITION}:execute-api:{Aws.REGION}:{Aws.ACCOUNT_ID}"
        return f"arn:{where}:{self._api.api_id}/{SOCKET_STAGE}/{method}/@connections/*"

    def finding(self, method: str) -> str:
        """How cdk-nag names that ARN."""
        element = self._api.node.default_child
        assert isinstance(element, CfnElement)
        where = "<AWS::Partition>:execute-api:<AWS::Region>:<AWS::AccountId>"
        api = f"<{Stack.of(self).get_logical_id(element)}>"
        return f"IAM5[Resource::arn:{where}:{api}/{SOCKET_STAGE}/{method}/@connections/*]"

    def route_to(self, function: lambda_.IFunction) -> None:
        """All three routes. Not given to the constructor: the function knows this API's address."""
        for key in ("$connect", "$disconnect", "$default"):
            name = key.removeprefix("$").title()
            route = self._api.add_route(
                key, integration=WebSocketLambdaIntegration(f"{name}Integration", function)
            )
            acknowledge(
                route,
                "APIG4",
                "Whoever has the link may call: a room's id cannot be guessed, and it may have a "
                "passphrase.",
            )
