"""AWS clients, built once per process. Core code takes them as arguments."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient


def _config(read_timeout_s: int, pool: int) -> Config:
    # Far below the functions' time limits: a stalled connection is given up and tried again.
    return Config(
        connect_timeout=3,
        read_timeout=read_timeout_s,
        retries={"mode": "standard", "total_max_attempts": 4},
        max_pool_connections=pool,
        signature_version="s3v4",
    )


@cache
def s3() -> S3Client:
    """S3; reads and writes of one segment at a time, so a minute without a byte is a stall."""
    return boto3.client("s3", config=_config(60, 10))


@cache
def sqs() -> SQSClient:
    return boto3.client("sqs", config=_config(10, 4).merge(Config(signature_version="v4")))


@cache
def sns() -> SNSClient:
    return boto3.client("sns", config=_config(10, 4).merge(Config(signature_version="v4")))


@cache
def api_gateway_sockets(callback_url: str) -> Any:
    """Posts to the WebSockets of one API's stage."""
    config = _config(5, 10).merge(Config(signature_version="v4"))
    return boto3.client("apigatewaymanagementapi", endpoint_url=callback_url, config=config)


@cache
def ssm() -> Any:
    return boto3.client("ssm", config=_config(5, 4).merge(Config(signature_version="v4")))


def reset() -> None:
    """Forget the clients (tests, after the endpoint or the credentials changed)."""
    s3.cache_clear()
    sqs.cache_clear()
    sns.cache_clear()
    api_gateway_sockets.cache_clear()
    ssm.cache_clear()
