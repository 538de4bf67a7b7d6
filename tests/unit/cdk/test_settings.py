from __future__ import annotations

from dataclasses import fields

import pytest

from cdk.functions import FUNCTIONS, max_concurrency
from cdk.settings import ContextError, Settings


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
        ({"architecture": "mips"}, "architecture"),
        ({"chunk_segments": "0"}, "chunk_segments"),
        ({"site_url": "https://example.org/"}, "site_url"),
        ({"webhook_networks": "10.0.0.1/8"}, "webhook_networks"),
        ({"webhook_networks": "public,somewhere"}, "somewhere"),
        ({"webhook_plain_http": "perhaps"}, "webhook_plain_http"),
        ({"nag": "maybe"}, "nag='maybe'"),
    ],
)
def test_settings_are_refused_by_name_when_a_value_is_wrong(
    context: dict[str, str], message: str
) -> None:
    with pytest.raises(ContextError, match=message):
        Settings.from_context(context.get)


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
