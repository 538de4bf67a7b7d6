"""The web ACL (WAF) before the REST API, where the setting `waf` asks for it.

API Gateway's WebSocket APIs take none: each socket's share is counted by the function.
"""

from __future__ import annotations

from aws_cdk import aws_wafv2 as waf
from constructs import Construct

from cdk.functions import PREFIX
from cdk.nag import accept
from cdk.settings import Settings

_MANAGED: dict[str, tuple[str, ...]] = {
    # AWS's rule group: rules of it that only count
    "AWSManagedRulesAmazonIpReputationList": (),
    "AWSManagedRulesKnownBadInputsRuleSet": (),
    "AWSManagedRulesCommonRuleSet": (
        "SizeRestrictions_BODY",  # the list of a large upload's parts has 0.8 MB
        "GenericRFI_BODY",  # a webhook's address may be a number; the API itself checks where to
        "EC2MetaDataSSRF_BODY",  # likewise
    ),
}
_WINDOW_S = 60


class Firewall(Construct):
    """A web ACL of scope REGIONAL, on one stage of API Gateway."""

    def __init__(
        self, scope: Construct, construct_id: str, stage_arn: str, settings: Settings
    ) -> None:
        super().__init__(scope, construct_id)
        limit = _limit(settings.waf_requests_per_minute)
        managed = [_managed(place, name) for place, name in enumerate(_MANAGED, 1)]
        acl = waf.CfnWebACL(
            self,
            "Acl",
            name=f"{PREFIX}-api",
            scope="REGIONAL",
            default_action=waf.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=_seen_as("api"),
            rules=[limit, *managed],
        )
        association = waf.CfnWebACLAssociation(
            self, "Association", resource_arn=stage_arn, web_acl_arn=acl.attr_arn
        )
        accept(association, "CloudFormation-Validate::F1020", "SAM makes the stage, and knows it.")


def _limit(requests: int) -> waf.CfnWebACL.RuleProperty:
    return waf.CfnWebACL.RuleProperty(
        name="requests-of-one-address",
        priority=0,
        action=waf.CfnWebACL.RuleActionProperty(block={}),
        statement=waf.CfnWebACL.StatementProperty(
            rate_based_statement=waf.CfnWebACL.RateBasedStatementProperty(
                aggregate_key_type="IP", limit=requests, evaluation_window_sec=_WINDOW_S
            )
        ),
        visibility_config=_seen_as("requests-of-one-address"),
    )


def _managed(place: int, name: str) -> waf.CfnWebACL.RuleProperty:
    counting = [
        waf.CfnWebACL.RuleActionOverrideProperty(
            name=rule, action_to_use=waf.CfnWebACL.RuleActionProperty(count={})
        )
        for rule in _MANAGED[name]
    ]
    return waf.CfnWebACL.RuleProperty(
        name=name,
        priority=place,
        override_action=waf.CfnWebACL.OverrideActionProperty(none={}),
        statement=waf.CfnWebACL.StatementProperty(
            managed_rule_group_statement=waf.CfnWebACL.ManagedRuleGroupStatementProperty(
                vendor_name="AWS", name=name, rule_action_overrides=counting or None
            )
        ),
        visibility_config=_seen_as(name),
    )


def _seen_as(name: str) -> waf.CfnWebACL.VisibilityConfigProperty:
    return waf.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True,
        metric_name=f"{PREFIX}-{name}",
        # Samples keep headers, and with them tokens.
        sampled_requests_enabled=False,
    )
