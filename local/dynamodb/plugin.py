"""The entry point `dynamodb:moto` of LocalStack's provider plug-ins; imports nothing early."""

# LocalStack lives in another virtual environment: its types are unknown where types are checked.
# mypy: disable-error-code="import-not-found, misc, untyped-decorator, no-any-return"

from __future__ import annotations

from localstack.services.plugins import Service, aws_provider


@aws_provider(api="dynamodb", name="moto")
def dynamodb() -> Service:
    from local.dynamodb.provider import service  # costs a second; only when it is needed

    return service()
