"""Signalling of calls: connects, disconnects and messages of WebSockets."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from millrace import clients, config, relays, signalling
from millrace.metrics import METRICS
from millrace.served import Served
from millrace.sockets import Sockets

SETTINGS = config.load("signal")
EXCHANGE = signalling.Exchange(
    Sockets(clients.api_gateway_sockets(SETTINGS.callback_url)),
    relays.Servers(
        relays.parse_urls(SETTINGS.stun_urls),
        relays.parse_urls(SETTINGS.turn_urls),
        relays.Secret(clients.ssm(), SETTINGS.turn_secret_parameter),
    ),
    Served(),
)
LOG = Logger()


@LOG.inject_lambda_context(clear_state=True)
@METRICS.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001
    """Parse, call, return: see `millrace.signalling`."""
    return signalling.handle(EXCHANGE, signalling.parse_event(event))
