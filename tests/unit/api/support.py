"""A client that holds every answer of the API against docs/reference/openapi.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chalice.local import RouteMatcher
from chalice.test import Client, HTTPResponse
from jsonschema import Draft202012Validator, FormatChecker

DOCUMENT: dict[str, Any] = json.loads(
    (Path(__file__).resolve().parents[3] / "docs" / "reference" / "openapi.json").read_text()
)
PROBLEM_BASE = "https://millrace.dev/problems/"
_FORMATS = FormatChecker(["date-time"])


def closed(schema: Any) -> Any:
    """The schema with no room for undocumented members: whatever leaks out is an error."""
    if isinstance(schema, list):
        return [closed(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {name: closed(value) for name, value in schema.items()}
    if schema.get("type") == "object" and "properties" in schema:
        inner.setdefault("additionalProperties", False)
    return inner


_COMPONENTS = closed(DOCUMENT["components"])


def check_schema(schema: Mapping[str, Any], value: Any) -> None:
    """Fail unless `value` is what the document says, and nothing more."""
    whole = {**schema, "components": _COMPONENTS}
    Draft202012Validator(whole, format_checker=_FORMATS).validate(value)


def resolve(node: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in node:
        return node
    found: Any = DOCUMENT
    for part in node["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    assert isinstance(found, dict)
    return found


@dataclass(slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: Any
    text: str

    @property
    def problem(self) -> str:
        """The slug of the problem this is; fails if it is none."""
        assert self.headers["content-type"] == "application/problem+json", self.text
        assert self.body["status"] == self.status
        slug: str = self.body["type"].removeprefix(PROBLEM_BASE)
        return slug

    @property
    def bad_fields(self) -> dict[str, str]:
        """Field → code of a validation problem."""
        return {error["field"]: error["code"] for error in self.body["errors"]}


@dataclass(slots=True)
class Api:
    """Calls the routes in process, checking each answer against the document."""

    client: Client
    seen: set[tuple[str, str, int]] = field(default_factory=set)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        raw: bytes | None = None,
    ) -> Answer:
        sent = dict(headers or {})
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        content = raw if raw is not None else b""
        if body is not None:
            content = json.dumps(body).encode()
        if content:
            sent.setdefault("Content-Type", "application/json")
        response = self.client.http.request(method, path, headers=sent, body=content)
        answer = _answer(response)
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["x-content-type-options"] == "nosniff"
        self._check(method, path, body, answer)
        return answer

    def get(self, path: str, **options: Any) -> Answer:
        return self.call("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> Answer:
        return self.call("POST", path, body, **options)

    def delete(self, path: str, **options: Any) -> Answer:
        return self.call("DELETE", path, **options)

    def _check(self, method: str, path: str, body: Any, answer: Answer) -> None:
        try:
            template = RouteMatcher(list(DOCUMENT["paths"])).match_route(path).route
        except ValueError:
            assert answer.problem == "route-not-found"
            return
        operation = DOCUMENT["paths"][template].get(method.lower())
        if operation is None:
            assert answer.problem == "method-not-allowed"
            return
        self.seen.add((method, template, answer.status))
        documented = operation["responses"].get(str(answer.status))
        assert documented, f"{method} {template} answers {answer.status}, which is not documented"
        _check_response(resolve(documented), answer)
        if answer.status < 300 and body is not None:
            check_schema(operation["requestBody"]["content"]["application/json"]["schema"], body)


def _check_response(documented: dict[str, Any], answer: Answer) -> None:
    for name in documented.get("headers", {}):
        assert name.lower() in answer.headers, f"the header {name} is documented but missing"
    content = documented.get("content")
    if content is None:
        assert answer.text == ""
        return
    media_type = answer.headers["content-type"].partition(";")[0]
    assert media_type in content
    check_schema(content[media_type]["schema"], answer.body)


def _answer(response: HTTPResponse) -> Answer:
    text = response.body.decode()
    headers = {name.lower(): value for name, value in response.headers.items()}
    is_json = "json" in headers.get("content-type", "")
    body = json.loads(text) if text and is_json else text or None
    return Answer(response.status_code, headers, body, text)
