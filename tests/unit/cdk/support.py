"""Reads a synthesised template the way the tests ask about it."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[3]


class Synthesis:
    """A cloud assembly on disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def template(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "Millrace.template.json").read_text())
        return found

    def resources(self, kind: str) -> dict[str, dict[str, Any]]:
        """Logical id → resource, of one type, e.g. `AWS::SQS::Queue`."""
        found = self.template["Resources"].items()
        return {name: item for name, item in found if item["Type"] == kind}

    def named(self, kind: str, property_name: str) -> dict[str, dict[str, Any]]:
        """Physical name → properties, of one type."""
        return {
            item["Properties"][property_name]: item["Properties"]
            for item in self.resources(kind).values()
        }

    def functions(self) -> dict[str, dict[str, Any]]:
        """Every Lambda function's properties by its name without `millrace-`."""
        plain = self.named("AWS::Lambda::Function", "FunctionName")
        sam = self.named("AWS::Serverless::Function", "FunctionName")
        return {name.removeprefix("millrace-"): item for name, item in (plain | sam).items()}

    def name_of(self, logical_id: str) -> str:
        """What a person calls a resource: its physical name."""
        properties = self.template["Resources"][logical_id]["Properties"]
        for key in ("QueueName", "TableName", "LogGroupName", "FunctionName", "TopicName"):
            if key in properties:
                return str(properties[key])
        if "BucketName" in properties:
            return "uploads" if "uploads" in json.dumps(properties["BucketName"]) else "site"
        return logical_id

    def readable(self, value: Any) -> str:
        """A template expression as short text: references become names."""
        if isinstance(value, str):
            return value
        (function, argument), *_ = value.items()
        if function == "Fn::GetAtt":
            return self.name_of(argument[0])
        if function == "Ref":
            return self.name_of(argument) if argument in self.template["Resources"] else argument
        if function == "Fn::Join":
            return "".join(self.readable(part) for part in argument[1])
        return json.dumps(value)


def as_list(value: Any) -> list[Any]:
    """IAM writes one-element lists as their element."""
    return value if isinstance(value, list) else [value]
