"""The REST API for readers: every call and every object of docs/reference/openapi.json, as a page
of the site. It is made as the site is built, so it cannot fall behind."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

OPENAPI = Path(__file__).resolve().parent / "reference" / "openapi.json"

Node = Mapping[str, Any]


def text(document: Node | None = None) -> str:
    """The whole page in Markdown."""
    openapi = document or json.loads(OPENAPI.read_text())
    lines = ["# REST API, call by call", "", openapi["info"]["description"], ""]
    lines += ["[How to use it](../API.md), step by step, is told elsewhere.", ""]
    for tag in openapi["tags"]:
        lines += [f"## {tag['name'].capitalize()}", ""]
        for path, operations in openapi["paths"].items():
            for method, operation in operations.items():
                if tag["name"] in operation["tags"]:
                    lines += _operation(f"{method.upper()} {path}", operation, openapi)
    lines += ["## Objects", ""]
    for name, schema in openapi["components"]["schemas"].items():
        lines += _object(name, schema)
    return "\n".join(lines).rstrip() + "\n"


def _operation(name: str, operation: Node, openapi: Node) -> Iterator[str]:
    yield from (f"### {name}", "")
    told = [f"{operation['summary']}.", operation.get("description", ""), _access(operation)]
    yield from (" ".join(filter(None, told)), "")
    if parameters := operation.get("parameters"):
        rows = (
            (f"`{one['name']}`", one["in"], _type(one["schema"]), one.get("description", ""))
            for one in parameters
        )
        yield from _table(("parameter", "in", "type", "meaning"), rows)
    if "requestBody" in operation:
        yield from (f"Body: {_content(operation['requestBody'])}.", "")
    answers = (
        (status, _resolved(answer, openapi).get("description", ""), _content(answer))
        for status, answer in operation["responses"].items()
    )
    yield from _table(("status", "meaning", "body"), answers)


def _access(operation: Node) -> str:
    ways = operation["security"]
    if not ways:
        return "No token is asked for."
    return "A token is optional." if {} in ways else "It needs a token."


def _object(name: str, schema: Node) -> Iterator[str]:
    yield from (f"### {name}", "")
    about = schema.get("description", "")
    if "properties" not in schema:
        yield from (f"{_type(schema)}. {about}".strip(), "")
        return
    if about:
        yield from (about, "")
    required = schema.get("required", ())
    rows = (
        (
            f"`{member}`{'' if member in required else ', optional'}",
            _type(each),
            each.get("description", ""),
        )
        for member, each in schema["properties"].items()
    )
    yield from _table(("member", "type", "meaning"), rows)


def _content(node: Node) -> str:
    if "$ref" in node:
        return "[Problem](#problem)" if "/responses/" in node["$ref"] else _type(node)
    found = [_type(media["schema"]) for media in node.get("content", {}).values()]
    return " or ".join(found) or "none"


def _resolved(node: Node, openapi: Node) -> Node:
    if "$ref" not in node:
        return node
    found: Any = openapi
    for part in node["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    resolved: Node = found
    return resolved


def _type(schema: Node) -> str:
    """A schema in few words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    for key in ("oneOf", "anyOf", "allOf"):
        if key in schema:
            return " or ".join(dict.fromkeys(_type(each) for each in schema[key]))
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if "enum" in schema:
        return ", ".join(f"`{json.dumps(each)}`" for each in schema["enum"])
    kinds = schema.get("type", "anything")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    named = [_list(schema) if kind == "array" else kind for kind in kinds]
    return " or ".join(named) + _bounds(schema)


def _list(schema: Node) -> str:
    return f"list of {_type(schema.get('items', {}))}"


def _bounds(schema: Node) -> str:
    words = {
        "minimum": "from {}",
        "maximum": "to {}",
        "maxLength": "{} characters at most",
        "maxItems": "{} at most",
        "default": "usually `{}`",
        "format": "{}",
    }
    found = [words[key].format(schema[key]) for key in words if key in schema]
    return f" ({', '.join(found)})" if found else ""


def _table(heading: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(heading)} |"
    yield "|---" * len(heading) + "|"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
    yield ""
