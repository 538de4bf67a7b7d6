"""The entry point `dynamodb:moto` of LocalStack's provider plug-ins; imports nothing early."""

from __future__ import annotations

from localstack.services.plugins import Service, aws_provider


@aws_provider(api="dynamodb", name="moto")  # type: ignore[untyped-decorator]
def dynamodb() -> Service:
    from local.dynamodb.provider import service  # costs a second; only when it is needed

    return service()
