"""A budget of AWS Budgets, where the settings ask for one.

The alarm `millrace-spend` is quicker, but by estimate; this one is by AWS's own bill, half a day
late.
"""

from __future__ import annotations

from aws_cdk import Aws
from aws_cdk import aws_budgets as budgets
from constructs import Construct

from cdk.functions import PREFIX
from cdk.settings import Settings

_THRESHOLDS = (("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100))
"""In percent of the budget."""


def make_budget(scope: Construct, settings: Settings) -> None:
    """Of the whole account: tags would have to be activated for costs by hand first."""
    if not settings.monthly_budget_usd:
        return
    budgets.CfnBudget(
        scope,
        "Budget",
        budget=budgets.CfnBudget.BudgetDataProperty(
            budget_name=f"{PREFIX}-monthly-{Aws.REGION}",
            budget_type="COST",
            time_unit="MONTHLY",
            budget_limit=budgets.CfnBudget.SpendProperty(
                amount=settings.monthly_budget_usd, unit="USD"
            ),
        ),
        notifications_with_subscribers=[
            _told_at(kind, percent, settings.budget_email) for kind, percent in _THRESHOLDS
        ],
    )


def _told_at(
    kind: str, percent: int, email: str
) -> budgets.CfnBudget.NotificationWithSubscribersProperty:
    return budgets.CfnBudget.NotificationWithSubscribersProperty(
        notification=budgets.CfnBudget.NotificationProperty(
            notification_type=kind,
            comparison_operator="GREATER_THAN",
            threshold=percent,
            threshold_type="PERCENTAGE",
        ),
        subscribers=[
            budgets.CfnBudget.SubscriberProperty(subscription_type="EMAIL", address=email)
        ],
    )
