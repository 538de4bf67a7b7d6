"""cdk-nag: AWS's own security rules, checked at every synthesis."""

from __future__ import annotations

from aws_cdk import Acknowledgment, App, Validations
from cdk_nag import AwsSolutionsChecks
from constructs import Construct


def check(app: App) -> None:
    """Make the synthesis fail on any finding that nobody acknowledged."""
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))


def acknowledge(construct: Construct, rule: str, reason: str) -> None:
    """Accept one rule's findings below a construct, and say why."""
    accept(construct, f"AwsSolutions-{rule}", reason)


def accept(construct: Construct, finding: str, reason: str) -> None:
    """The same of a finding by its whole name, of whichever checker."""
    Validations.of(construct).acknowledge(Acknowledgment(id=finding, reason=reason))
