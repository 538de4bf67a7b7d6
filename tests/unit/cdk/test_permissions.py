"""What each function may do, pinned: `permissions.txt` is the whole list, reviewed as text.

After a wanted change: `UPDATE_PERMISSIONS=1 pytest tests/unit/cdk/test_permissions.py`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from tests.unit.cdk.support import Synthesis, as_list

PINNED = Path(__file__).with_name("permissions.txt")


def _grants(template: Synthesis) -> list[str]:
    lines = []
    for name, function in template.functions().items():
        role = template.template["Resources"][function["Role"]["Fn::GetAtt"][0]]["Properties"]
        assert "ManagedPolicyArns" not in role
        for policy in role["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                lines += _lines(template, name, statement)
    return sorted(lines)


def _lines(template: Synthesis, name: str, statement: dict[str, Any]) -> list[str]:
    assert statement["Effect"] == "Allow"
    condition = f" if {json.dumps(statement['Condition'])}" if "Condition" in statement else ""
    return [
        f"{name}: {action} on {template.readable(resource)}{condition}"
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    ]


def test_permissions_are_the_pinned_ones_when_synthesised(template: Synthesis) -> None:
    found = "\n".join(_grants(template)) + "\n"
    if os.environ.get("UPDATE_PERMISSIONS") == "1":
        PINNED.write_text(found)
    assert found == PINNED.read_text()


def test_no_action_is_a_wildcard_when_something_is_allowed(template: Synthesis) -> None:
    for item in template.template["Resources"].values():
        for statement in _statements(item):
            if statement.get("Effect") == "Allow":
                assert not [action for action in as_list(statement["Action"]) if "*" in action]


def test_every_permission_is_in_a_functions_own_role_when_synthesised(
    template: Synthesis,
) -> None:
    assert not template.resources("AWS::IAM::Policy")
    assert not template.resources("AWS::IAM::ManagedPolicy")
    roles = [item["Role"]["Fn::GetAtt"][0] for item in template.functions().values()]
    assert sorted(roles) == sorted(template.resources("AWS::IAM::Role"))


def _statements(value: Any) -> list[dict[str, Any]]:
    """Every IAM statement anywhere below a resource."""
    if isinstance(value, list):
        return [statement for item in value for statement in _statements(item)]
    if not isinstance(value, dict):
        return []
    here = value.get("Statement")
    found = [item for item in as_list(here) if isinstance(item, dict)] if here else []
    return found + [item for child in value.values() for item in _statements(child)]


REASONS = {
    "uploads/uploads/*": "each video has its own keys",
    "site/videos/*": "each video has its own keys",
    "/signal/POST/@connections/*": "whoever is connected",
    "/signal/DELETE/@connections/*": "whoever is connected",
    "site/*": "the pages and media that CloudFront, or everybody, reads",
    "*": "X-Ray's actions know no resources",
}
"""End of a resource with a wildcard → why it may have one."""


def test_every_wildcard_resource_has_a_reason_when_something_is_allowed(
    syntheses: dict[str, Synthesis],
) -> None:
    used = set()
    for template in syntheses.values():
        for item in template.template["Resources"].values():
            for statement in _statements(item):
                if statement.get("Effect") == "Allow":
                    used |= {_reason(template, found) for found in _wildcards(template, statement)}
    assert used == set(REASONS)


def _wildcards(template: Synthesis, statement: dict[str, Any]) -> list[str]:
    found = [template.readable(item) for item in as_list(statement.get("Resource", []))]
    return [resource for resource in found if "*" in resource]


def _reason(template: Synthesis, resource: str) -> str:
    if resource == "*":
        return resource
    known = [end for end in REASONS if end != "*" and resource.endswith(end)]
    assert known, f"{resource} has no reason"
    return max(known, key=len)
