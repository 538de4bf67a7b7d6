from __future__ import annotations

from dataclasses import fields

import pytest

from cdk.functions import FUNCTIONS, Package, max_concurrency
from cdk.settings import ContextError, Settings

CERTIFICATE = "arn:aws:acm:us-east-1:111122223333:certificate/0123-4567"
ACL = "arn:aws:wafv2:us-east-1:111122223333:global/webacl/mine/0123-4567"


def test_settings_are_the_defaults_when_the_context_is_empty() -> None:
    empty: dict[str, str] = {}
    assert Settings.from_context(empty.get) == Settings()


def test_settings_survive_when_written_as_context_and_read_again() -> None:
    settings = Settings(
        suffix="local",
        transcode_concurrency=2,
        allowed_origins=("http://127.0.0.1:1", "http://localhost:1"),
        nag=False,
    )
    assert Settings.from_context(settings.to_context().get) == settings


def test_context_names_only_what_differs_when_written() -> None:
    assert Settings(suffix="x").to_context() == {"suffix": "x"}


@pytest.mark.parametrize(
    ("context", "message"),
    [
        ({"transcode_concurrency": "1"}, "transcode_concurrency"),
        ({"transcode_concurrency": "many"}, "transcode_concurrency='many'"),
        ({"ingest_concurrency": "1001"}, "ingest_concurrency"),
        ({"publish_concurrency": "-2"}, "publish_concurrency"),
        ({"uploads_per_minute": "0"}, "uploads_per_minute"),
        ({"wrong_tokens_per_minute": "0"}, "wrong_tokens_per_minute"),
        ({"architecture": "mips"}, "architecture"),
        ({"chunk_segments": "0"}, "chunk_segments"),
        ({"site_url": "https://example.org/"}, "site_url"),
        ({"webhook_networks": "10.0.0.1/8"}, "webhook_networks"),
        ({"webhook_networks": "public,somewhere"}, "somewhere"),
        ({"stun_urls": "stun.example.org"}, "stun_urls has stun: and stuns: addresses"),
        ({"stun_urls": "stun:a, turn:b"}, "stun_urls .* not 'turn:b'"),
        ({"turn_urls": "turns:a,stun:b"}, "turn_urls has turn: and turns: addresses, not 'stun:b'"),
        ({"webhook_plain_http": "perhaps"}, "webhook_plain_http"),
        ({"nag": "maybe"}, "nag='maybe'"),
        ({"cdn": "1"}, "cdn='1'"),
        ({"transcode_memory_mb": "511"}, "transcode_memory_mb must be between 512 and 10240"),
        ({"probe_memory_mb": "10241"}, "probe_memory_mb"),
        ({"domain": "video.example.org"}, "domain and certificate_arn go together"),
        ({"domain": "https://example.org", "certificate_arn": CERTIFICATE}, "host name"),
        ({"domain": "Example.org", "certificate_arn": CERTIFICATE}, "small letters"),
        (
            {"domain": "a.example.org", "certificate_arn": CERTIFICATE.replace("us-e", "eu-w")},
            "certificate_arn must be the ARN of an ACM certificate in us-east-1",
        ),
        (
            {"domain": "a.example.org", "certificate_arn": CERTIFICATE, "site_url": "https://b.de"},
            "give one of them",
        ),
        (
            {"domain": "a.example.org", "certificate_arn": CERTIFICATE, "cdn": "false"},
            "domain is of CloudFront",
        ),
        ({"site_web_acl_arn": ACL.replace("global", "regional")}, "web ACL of scope CLOUDFRONT"),
        ({"waf": "on"}, "waf='on'"),
        ({"waf_requests_per_minute": "9"}, "waf_requests_per_minute must be at least 10"),
        ({"token_store": "drawer"}, "token_store must be one of terminal, parameter"),
        ({"log_retention": "FOREVER"}, "log_retention must be one of ONE_DAY"),
        ({"log_level": "debug"}, "log_level"),
        ({"upload_retention_days": "-1"}, "upload_retention_days must be at least 0"),
        ({"daily_budget_usd": "0"}, "daily_budget_usd must be at least 1"),
        ({"monthly_budget_usd": "50"}, "monthly_budget_usd and budget_email go together"),
        ({"monthly_budget_usd": "50", "budget_email": "me"}, "budget_email must be an address"),
        ({"alarm_email": "me"}, "alarm_email must be an address"),
    ],
)
def test_settings_are_refused_by_name_when_a_value_is_wrong(
    context: dict[str, str], message: str
) -> None:
    with pytest.raises(ContextError, match=message):
        Settings.from_context(context.get)


def test_engine_may_not_go_without_walls_when_the_sandbox_is_required() -> None:
    assert Settings.from_context({"sandbox": "require"}.get).sandbox == "require"
    run_it = [spec for spec in FUNCTIONS if spec.package is Package.IMAGE]
    assert {spec.name for spec in run_it} == {"probe", "transcode", "thumbnail"}
    assert all("sandbox" in spec.settings for spec in run_it)
    with pytest.raises(ContextError, match="sandbox"):
        Settings.from_context({"sandbox": "off"}.get)


def test_settings_are_taken_when_they_go_together() -> None:
    given = {"domain": "video.example.org", "certificate_arn": CERTIFICATE}
    settings = Settings.from_names({**given, "site_web_acl_arn": ACL, "waf": "true"})
    assert settings.to_context() == {**given, "site_web_acl_arn": ACL, "waf": "true"}


@pytest.mark.parametrize(
    "stun", ["none", "stun:a.example", "stun:a:3478, stuns:[2001:db8::1]:5349"]
)
def test_servers_of_calls_are_taken_when_their_scheme_is_their_own(stun: str) -> None:
    given = {"stun_urls": stun, "turn_urls": "turn:b?transport=tcp,turns:c:443"}
    assert Settings.from_names(given).to_context() == given


def test_all_settings_survive_when_written_in_full() -> None:
    settings = Settings(stun_urls="none", allowed_origins=("http://127.0.0.1:1",))
    written = settings.to_full_context()
    assert written.keys() == {spec.name for spec in fields(Settings)}
    assert Settings.from_context(written.get) == settings


def test_setting_is_refused_with_the_nearest_name_when_there_is_none_such() -> None:
    with pytest.raises(ContextError, match="no setting domian; did you mean domain"):
        Settings.from_names({"domian": "example.org"})


def test_every_setting_has_a_default_when_listed() -> None:
    assert all(spec.name in Settings().__dir__() for spec in fields(Settings))


def test_every_function_with_a_queue_has_its_own_limit_when_a_deployment_chooses() -> None:
    fed = [spec for spec in FUNCTIONS if spec.queue]
    chosen = {f"{spec.name}_concurrency": str(7 + n) for n, spec in enumerate(fed)}
    settings = Settings.from_context(chosen.get)
    assert [max_concurrency(spec, settings) for spec in fed] == list(range(7, 7 + len(fed)))
    assert [max_concurrency(spec, Settings()) for spec in fed] == [
        spec.queue.max_concurrency for spec in fed if spec.queue
    ]
