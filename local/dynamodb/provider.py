"""LocalStack's provider for DynamoDB, plug-in `dynamodb:moto`.

Operations on items are answered here, from the request's JSON to the answer's JSON; operations on
tables go to moto, and what they changed is written down before they are answered.
"""

# LocalStack lives in another virtual environment: its types are unknown where types are checked.
# mypy: disable-error-code="import-not-found, misc, untyped-decorator, no-any-return"

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

from localstack.aws.api import CommonServiceException, RequestContext
from localstack.aws.handlers.service import ServiceRequestParser
from localstack.aws.skeleton import Skeleton
from localstack.aws.spec import load_service
from localstack.http import Response
from localstack.services.moto import call_moto
from localstack.services.plugins import Service, ServiceLifecycleHook
from localstack.state import StateVisitor
from localstack.utils.aws.request_context import (
    extract_account_id_from_headers,
    extract_region_from_headers,
)

from local.dynamodb import operations
from local.dynamodb.door import API, DOOR
from local.dynamodb.errors import DynamoError
from local.dynamodb.expiry import Expiry
from local.dynamodb.reads import Request
from local.dynamodb.schema import Schema
from local.dynamodb.storage import Storage
from local.dynamodb.tables import Tables
from local.persistence.location import state_dir

Handler = Callable[[RequestContext, Any], Any]

_BY_MOTO = (
    "CreateTable", "UpdateTable", "DeleteTable", "ListTables", "TagResource", "UntagResource",
    "ListTagsOfResource", "UpdateTimeToLive", "DescribeTimeToLive", "UpdateContinuousBackups",
    "DescribeContinuousBackups", "DescribeEndpoints", "PutResourcePolicy", "GetResourcePolicy",
    "DeleteResourcePolicy",
)  # fmt: skip


class DynamoDbProvider(ServiceLifecycleHook):
    """Items from SQLite, tables from moto."""

    service = "dynamodb"

    def __init__(self) -> None:
        self._storage = Storage(state_dir() / "dynamodb.sqlite")
        self._tables = Tables(self._storage)
        self._expiry = Expiry(self._storage, self._tables)
        self._moto = threading.Lock()  # moto's definitions are not made for several threads

    def on_before_start(self) -> None:
        self._expiry.start()
        DOOR.answer = self._answer

    def on_before_stop(self) -> None:
        self._expiry.stop()

    def accept_state_visitor(self, visitor: StateVisitor) -> None:
        """Nothing to visit: every change is on disk before its answer goes out."""

    def operations(self) -> dict[str, Handler]:
        """Operation name → what answers it. All others are answered as not implemented."""
        return (
            {name: self._on_items(name) for name in operations.NAMES}
            | dict.fromkeys(_BY_MOTO, self._by_moto)
            | {"DescribeTable": self._describe_table}
        )

    def _on_items(self, name: str) -> Handler:
        def handle(context: RequestContext, request: Request) -> Response:
            status, body = self._carry_out(name, request, context.account_id, context.region)
            # LocalStack would parse the answer once more to know this; nobody needs the content.
            context.service_response = {"status": status}
            return Response(body, status, content_type="application/x-amz-json-1.0")

        return handle

    def _answer(self, name: str, authorization: str, body: bytes) -> tuple[int, bytes] | None:
        """At the door. None for what LocalStack has to answer, about tables."""
        if name not in operations.NAMES:
            return None
        try:
            request = json.loads(body)
        except ValueError:
            error = DynamoError("SerializationException", "The request is no JSON.")
            return error.status, _json(error.body())
        headers = {"Authorization": authorization}
        account, region = (
            extract_account_id_from_headers(headers),
            extract_region_from_headers(headers),
        )
        return self._carry_out(name, request, account, region)

    def _carry_out(
        self, name: str, request: Request, account: str, region: str
    ) -> tuple[int, bytes]:
        def tables(table: str) -> Schema:
            return self._tables.schema(account, region, table)

        try:
            status, body = 200, operations.carry_out(name, request, tables, self._storage)
        except DynamoError as error:
            status, body = error.status, error.body()
        return status, _json(body)

    def _by_moto(self, context: RequestContext, request: Request) -> Any:
        if (request.get("StreamSpecification") or {}).get("StreamEnabled"):
            # moto would agree, and nothing would ever be in the stream.
            raise CommonServiceException("ValidationException", "streams are not supported here")
        with self._moto:
            answer = call_moto(context)
            self._tables.synchronize(context.account_id, context.region)
        return answer

    def _describe_table(self, context: RequestContext, _parsed: object) -> Any:
        answer = call_moto(context)
        table = answer["Table"]
        schema = self._tables.schema(context.account_id, context.region, table["TableName"])
        with self._storage.transaction() as transaction:
            table["ItemCount"], table["TableSizeBytes"] = transaction.size(schema.table_id)
        table["TableId"] = f"00000000-0000-0000-0000-{schema.table_id:012d}"
        return answer


def _read_plainly() -> None:
    """Requests about items are taken as the JSON they are. LocalStack's reading of them, value by
    value along the API's description, takes as long as all the rest."""
    read = ServiceRequestParser.parse_and_enrich

    def parse_and_enrich(self: ServiceRequestParser, context: RequestContext) -> None:
        target = context.request.headers.get("X-Amz-Target", "")
        version, _, name = target.partition(".")
        if version != API or name not in operations.NAMES:
            read(self, context)
            return
        try:
            context.service_request = json.loads(context.request.get_data())
        except ValueError:
            read(self, context)  # it knows the error to answer with
        else:
            context.operation = context.service.operation_model(name)

    ServiceRequestParser.parse_and_enrich = parse_and_enrich


def _json(body: dict[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()


def service() -> Service:
    """The plug-in's factory, found by its entry point."""
    provider = DynamoDbProvider()
    made = Service(
        name=provider.service,
        skeleton=Skeleton(load_service(provider.service), provider.operations()),
        lifecycle_hook=provider,
    )
    made._provider = provider
    _read_plainly()
    return made
