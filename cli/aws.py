"""How the command line talks to the one-machine cloud: AWS's own clients, a local endpoint."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from localstack_client.session import Session

from cli.state import replace_text

REGION = "us-east-1"
ACCOUNT = "000000000000"
TABLE = "millrace"


def endpoint(port: int) -> str:
    """An address, not a name: botocore then puts bucket names into the path by itself."""
    return f"http://127.0.0.1:{port}"


def environment(port: int) -> dict[str, str]:
    """What makes any AWS client or tool in a child process talk to the local cloud."""
    return {
        "AWS_ENDPOINT_URL": endpoint(port),
        "AWS_ENDPOINT_URL_S3": endpoint(port),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
    }


def session(port: int) -> Session:
    return Session(
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - LocalStack's fixed credentials
        region_name=REGION,
        localstack_host=f"127.0.0.1:{port}",
    )


def first_token(file: Path, port: int) -> str | None:
    """Make the token of a first run and keep it in `file`; None if it has been made before."""
    if file.exists():
        return None
    token = new_token(port, "first run", ["admin", "uploader"])
    replace_text(file, token + "\n", mode=0o600)
    return token


def new_token(port: int, name: str, roles: Sequence[str]) -> str:
    """Make an access token in the table; only its hash stays there."""
    os.environ.update(environment(port))
    from millrace import auth, model

    model.bind(TABLE, REGION)
    return auth.create_token(name, roles).secret
