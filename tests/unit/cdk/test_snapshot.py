"""The template's resources, pinned as text, for whoever reviews a change.

A resource whose logical id changes is removed and made anew: for a queue, an API or a distribution
that is another address, for a bucket or a table a deployment that fails.

After a wanted change: `UPDATE_SNAPSHOT=1 pytest tests/unit/cdk/test_snapshot.py`.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.unit.cdk.support import Synthesis

PINNED = Path(__file__).with_name("resources.txt")
ELSEWHERE = ("AWS::CloudWatch::",)
"""Alarms and dashboard hold nothing, and have tests of their own."""


def _lines(template: Synthesis) -> list[str]:
    return sorted(
        f"{item['Type']} {name} {item.get('DeletionPolicy', 'Delete')}"
        for name, item in template.template["Resources"].items()
        if not item["Type"].startswith(ELSEWHERE)
    )


@pytest.fixture
def pinned(template: Synthesis) -> list[str]:
    if os.environ.get("UPDATE_SNAPSHOT") == "1":
        PINNED.write_text("\n".join(_lines(template)) + "\n")
    return PINNED.read_text().splitlines()


def test_resources_are_the_pinned_ones_when_synthesised(
    template: Synthesis, pinned: list[str]
) -> None:
    assert _lines(template) == pinned


def test_one_machine_has_the_same_resources_when_it_needs_no_guards(
    direct: Synthesis, pinned: list[str]
) -> None:
    guards: tuple[str, ...] = ("AWS::CloudFront::", "AWS::WAFv2::", "AWS::Budgets::")
    guards += ("AWS::SNS::Subscription ", "AWS::SNS::Topic Alarms", "AWS::SNS::TopicPolicy Alarms")
    assert _lines(direct) == [line for line in pinned if not line.startswith(guards)]
