"""The template, pinned as text, for whoever reviews a change.

A resource whose logical id changes is removed and made anew: for a queue, an API or a distribution
that is another address, for a bucket or a table a deployment that fails. A property that changes
may do the same, or open what was closed.

After a wanted change: `UPDATE_SNAPSHOT=1 pytest tests/unit/cdk/test_snapshot.py`.
"""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path
from typing import Any

import yaml

from tests.unit.cdk.support import Synthesis

PINNED = Path(__file__).with_name("template.yml")
ELSEWHERE = ("AWS::CloudWatch::",)
"""Alarms and dashboard hold nothing, and have tests of their own."""
OWN_TESTS = {"AWS::Serverless::Api": "DefinitionBody", "AWS::IAM::Role": "Policies"}
"""Properties that others compare with what they follow from: the routes, the permissions."""
_HASH = re.compile(r"\b[0-9a-f]{64}\b|\b[0-9a-f]{40}\b")
GUARDS = (
    *("AWS::CloudFront::", "AWS::WAFv2::", "AWS::Budgets::", "AWS::SNS::Subscription "),
    *("AWS::SNS::Topic Alarms", "AWS::SNS::TopicPolicy Alarms"),
)


def _resources(template: Synthesis) -> dict[str, Any]:
    return {
        name: item
        for name, item in template.template["Resources"].items()
        if not item["Type"].startswith(ELSEWHERE)
    }


def _names(template: Synthesis) -> list[str]:
    return sorted(f"{item['Type']} {name}" for name, item in _resources(template).items())


def _text(template: Synthesis) -> str:
    """Without what tells where files were, or what is in them."""
    kept = {}
    for name, item in _resources(template).items():
        aside = OWN_TESTS.get(item["Type"])
        properties = {key: it for key, it in item.get("Properties", {}).items() if key != aside}
        rest = {key: it for key, it in item.items() if key not in ("Metadata", "Properties")}
        kept[name] = {**rest, "Properties": properties}
    return _HASH.sub("HASH", yaml.safe_dump(kept, width=100))


def test_template_is_the_pinned_one_when_synthesised(template: Synthesis) -> None:
    made = _text(template)
    if os.environ.get("UPDATE_SNAPSHOT") == "1":
        PINNED.write_text(made)
    pinned = PINNED.read_text()
    changes = difflib.unified_diff(pinned.splitlines(), made.splitlines(), "pinned", "made", n=4)
    assert made == pinned, "\n".join(changes)


def test_one_machine_has_the_same_resources_when_it_needs_no_guards(
    template: Synthesis, direct: Synthesis
) -> None:
    expected = [name for name in _names(template) if not name.startswith(GUARDS)]
    assert _names(direct) == expected
