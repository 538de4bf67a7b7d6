"""CloudFront, the web ACL and the budget: what a viewer and an attacker meet first."""

from __future__ import annotations

import re
from typing import Any

import pytest
from aws_cdk import App, Stack, assertions
from aws_cdk import aws_logs as logs

from cdk.page_policy import page_policy
from cdk.settings import Settings
from cdk.settings_rules import CHOICES
from cdk.storage import Storage
from millrace import storage
from tests.unit.cdk.support import REPOSITORY, Synthesis

CERTIFICATE = "arn:aws:acm:us-east-1:111122223333:certificate/0123"


def _distribution(template: Synthesis) -> dict[str, Any]:
    (item,) = template.resources("AWS::CloudFront::Distribution").values()
    config: dict[str, Any] = item["Properties"]["DistributionConfig"]
    return config


def _behaviors(template: Synthesis) -> dict[str, dict[str, Any]]:
    """Path pattern → behaviour, in the order in which CloudFront tries them."""
    config = _distribution(template)
    default = {"PathPattern": "*", **config["DefaultCacheBehavior"]}
    return {item["PathPattern"]: item for item in [*config["CacheBehaviors"], default]}


def _referred(template: Synthesis, behavior: dict[str, Any], key: str, inside: str) -> Any:
    return template.template["Resources"][behavior[key]["Ref"]]["Properties"][inside]


def _headers(template: Synthesis, pattern: str) -> dict[str, Any]:
    behavior = _behaviors(template)[pattern]
    found: dict[str, Any] = _referred(
        template, behavior, "ResponseHeadersPolicyId", "ResponseHeadersPolicyConfig"
    )
    return found


def _cache(template: Synthesis, pattern: str) -> tuple[int, int, int]:
    behavior = _behaviors(template)[pattern]
    config = _referred(template, behavior, "CachePolicyId", "CachePolicyConfig")
    return config["MinTTL"], config["DefaultTTL"], config["MaxTTL"]


def test_s3_is_asked_with_cloudfronts_signature_when_something_is_not_cached(
    template: Synthesis,
) -> None:
    (origin,) = _distribution(template)["Origins"]
    (access,) = template.resources("AWS::CloudFront::OriginAccessControl")
    assert origin["OriginAccessControlId"]["Fn::GetAtt"][0] == access
    config = template.template["Resources"][access]["Properties"]["OriginAccessControlConfig"]
    assert config["SigningBehavior"] == "always"
    assert template.readable(origin["DomainName"]) == "site"


def test_everything_is_https_and_read_only_when_asked_for(template: Synthesis) -> None:
    for behavior in _behaviors(template).values():
        assert behavior["ViewerProtocolPolicy"] == "redirect-to-https"
        assert set(behavior["AllowedMethods"]) == {"GET", "HEAD", "OPTIONS"}
    assert _distribution(template)["DefaultRootObject"] == "index.html"


def test_playlists_are_matched_before_what_is_kept_for_a_year_when_asked_for(
    template: Synthesis,
) -> None:
    assert list(_behaviors(template)) == [
        *("embed.html", "videos/*.m3u8", "videos/*.mpd", "videos/*", "*")
    ]


def _seconds(cache_control: str) -> int:
    found = re.search(r"max-age=(\d+)", cache_control)
    return int(found[1]) if found else 0


def test_caches_keep_to_what_the_pipeline_stores_when_it_says_how_long(
    template: Synthesis,
) -> None:
    year = _seconds(storage.IMMUTABLE)
    assert _cache(template, "videos/*")[::2] == (0, year)
    least, _, most = _cache(template, "videos/*.m3u8")
    assert (least, most) == (1, _seconds(storage.FINISHED))
    assert _cache(template, "videos/*.mpd") == _cache(template, "videos/*.m3u8")
    # `no-cache` of the pages is kept to: with no least time CloudFront asks S3 each time.
    assert _cache(template, "*")[:2] == (0, 0)
    (error,) = _distribution(template)["CustomErrorResponses"]
    assert (error["ErrorCode"], error["ErrorCachingMinTTL"]) == (404, 1)


def test_pages_have_every_security_header_when_served(template: Synthesis) -> None:
    headers = _headers(template, "*")
    security = headers["SecurityHeadersConfig"]
    assert security["StrictTransportSecurity"]["AccessControlMaxAgeSec"] >= 31_536_000
    assert security["ContentTypeOptions"] == {"Override": True}
    assert security["FrameOptions"]["FrameOption"] == "DENY"
    assert security["ReferrerPolicy"]["ReferrerPolicy"] == "no-referrer"
    policy = security["ContentSecurityPolicy"]["ContentSecurityPolicy"]
    assert policy == f"{page_policy()}; frame-ancestors 'none'"
    (permissions,) = headers["CustomHeadersConfig"]["Items"]
    assert "camera=(self)" in permissions["Value"]


def test_one_page_alone_may_be_framed_when_served(template: Synthesis) -> None:
    security = _headers(template, "embed.html")["SecurityHeadersConfig"]
    assert "FrameOptions" not in security
    policy = security["ContentSecurityPolicy"]["ContentSecurityPolicy"]
    assert "frame-ancestors" not in policy
    assert "script-src 'self'" in policy
    assert (REPOSITORY / "frontend" / "embed.html").exists()


def test_media_are_nothing_but_media_when_opened_as_a_page(template: Synthesis) -> None:
    security = _headers(template, "videos/*")["SecurityHeadersConfig"]
    assert security["ContentTypeOptions"] == {"Override": True}
    policy = security["ContentSecurityPolicy"]["ContentSecurityPolicy"]
    assert policy.startswith("default-src 'none'")


def test_any_page_may_play_ranges_when_cloudfront_answers(template: Synthesis) -> None:
    for pattern in _behaviors(template):
        cors = _headers(template, pattern)["CorsConfig"]
        assert cors["AccessControlAllowOrigins"]["Items"] == ["*"]
        assert cors["AccessControlAllowHeaders"]["Items"] == ["Range"]
        assert cors["AccessControlAllowCredentials"] is False
        assert "Content-Range" in cors["AccessControlExposeHeaders"]["Items"]


def test_policy_is_that_of_the_pages_without_this_machine_when_away_from_it() -> None:
    policy = dict(rule.split(" ", 1) for rule in page_policy().split("; "))
    assert policy["connect-src"] == "'self' https://*.amazonaws.com wss://*.amazonaws.com"
    assert policy["img-src"] == "'self' https://*.amazonaws.com"
    assert policy["default-src"] == policy["base-uri"] == "'none'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert not re.search(r"localhost|127\.0|http:|ws:|unsafe", page_policy())


@pytest.fixture(scope="module")
def with_domain() -> assertions.Template:
    """Storage alone: what a domain changes is there."""
    stack = Stack(App(analytics_reporting=False), "Alone")
    settings = Settings(domain="video.example.org", certificate_arn=CERTIFICATE)
    assert Storage(stack, "Storage", settings).site_url == "https://video.example.org"
    return assertions.Template.from_stack(stack)


def test_site_has_its_own_name_and_todays_tls_when_there_is_a_domain(
    with_domain: assertions.Template,
) -> None:
    config = {
        "Aliases": ["video.example.org"],
        "ViewerCertificate": {
            "AcmCertificateArn": CERTIFICATE,
            "MinimumProtocolVersion": "TLSv1.2_2021",
            "SslSupportMethod": "sni-only",
        },
    }
    with_domain.has_resource_properties(
        "AWS::CloudFront::Distribution",
        {"DistributionConfig": assertions.Match.object_like(config)},
    )


def test_retentions_are_those_of_the_cdk_when_listed() -> None:
    assert set(CHOICES["log_retention"]) == {item.name for item in logs.RetentionDays}


def test_api_is_behind_a_web_acl_with_a_limit_when_asked_for(
    template: Synthesis, direct: Synthesis
) -> None:
    (acl,) = template.resources("AWS::WAFv2::WebACL").values()
    rules = {rule["Name"]: rule for rule in acl["Properties"]["Rules"]}
    limit = rules.pop("requests-of-one-address")
    assert limit["Action"] == {"Block": {}}
    assert limit["Statement"]["RateBasedStatement"]["Limit"] == 60
    assert len(rules) == 3
    assert all(rule["OverrideAction"] == {"None": {}} for rule in rules.values())
    (association,) = template.resources("AWS::WAFv2::WebACLAssociation").values()
    where = template.readable(association["Properties"]["ResourceArn"])
    assert where.endswith("::/restapis/RestAPI/stages/RestAPI.Stage")
    assert not direct.resources("AWS::WAFv2::WebACL")


def test_headers_are_not_sampled_when_a_web_acl_looks_at_them(template: Synthesis) -> None:
    """They would keep access tokens."""
    (acl,) = template.resources("AWS::WAFv2::WebACL").values()
    for item in (acl["Properties"], *acl["Properties"]["Rules"]):
        assert item["VisibilityConfig"]["SampledRequestsEnabled"] is False


def test_owner_is_told_when_the_bill_passes_the_budget(
    template: Synthesis, direct: Synthesis
) -> None:
    (budget,) = template.resources("AWS::Budgets::Budget").values()
    assert budget["Properties"]["Budget"]["BudgetLimit"] == {"Amount": 50, "Unit": "USD"}
    told = budget["Properties"]["NotificationsWithSubscribers"]
    assert [item["Notification"]["Threshold"] for item in told] == [80, 100, 100]
    assert {item["Subscribers"][0]["Address"] for item in told} == {"me@example.org"}
    assert not direct.resources("AWS::Budgets::Budget")
