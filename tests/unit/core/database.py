"""The pretended AWS's tables: the DynamoDB of `./millrace up` in memory, asked without HTTP.

moto takes four milliseconds for most operations, five times as long as everything else that a
function does. `test_databases` has it keep the same videos, and compares.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local.dynamodb import operations
from local.dynamodb.errors import DynamoError
from local.dynamodb.schema import Schema
from local.dynamodb.storage import Storage
from local.dynamodb.tables import Tables

ACCOUNT, REGION = "123456789012", "us-east-1"


class Database:
    """Items of the tables that moto was told to create."""

    def __init__(self) -> None:
        self._storage = Storage(Path(":memory:"))
        self._tables = Tables(self._storage)

    def answers(self, operation: str) -> bool:
        return operation in operations.NAMES

    def call(self, client: Any, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """As botocore's client: the answer, or the exception made of the error."""
        try:
            answer = operations.carry_out(operation, request, self._schema, self._storage)
        except DynamoError as error:
            response: Any = {
                "Error": {"Code": error.code, "Message": error.message},
                "ResponseMetadata": {"HTTPStatusCode": error.status, "HTTPHeaders": {}},
                **error.members,
            }
            known: type[ClientError] = client.exceptions.from_code(error.code)
            raise known(response, operation) from error
        return {**answer, "ResponseMetadata": {"HTTPStatusCode": 200, "HTTPHeaders": {}}}

    def learn_tables(self) -> None:
        """After moto created or changed one."""
        self._tables.synchronize(ACCOUNT, REGION)

    def items(self, table: str) -> list[dict[str, Any]]:
        with self._storage.transaction() as transaction:
            return list(transaction.scan(self._schema(table), None))

    def clear(self, table: str) -> None:
        schema = self._schema(table)
        with self._storage.transaction() as transaction:
            for item in list(transaction.scan(schema, None)):
                transaction.delete(schema, schema.key_of(item), item)

    def close(self) -> None:
        self._storage.close()

    def _schema(self, table: str) -> Schema:
        return self._tables.schema(ACCOUNT, REGION, table)
