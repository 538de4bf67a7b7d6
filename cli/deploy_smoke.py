"""Looks whether a deployment works, from outside, as its users meet it."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cdk.functions import PREFIX
from cli.deploy import Outputs

PATIENCE_S = 60.0
"""A name that was just made is not known everywhere at once, and a function starts cold."""
_PAUSE_S = 2.0
_TIMEOUT_S = 30


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    """Names in small letters."""
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class SmokeError(RuntimeError):
    """Something does not work; the message says what, in one sentence."""


def check(
    session: Any, outputs: Outputs, tell: Callable[[str], None], patience_s: float = PATIENCE_S
) -> None:
    """Ask every part once, and those that are not well again for a while.

    Args:
        session: of the account, for what only its owner may do.
        tell: what works, one after another.

    Raises:
        SmokeError: of the first thing that does not work.
    """
    for name, look in _checks(session, outputs):
        _patiently(name, look, patience_s)
        tell(name)


def _checks(session: Any, outputs: Outputs) -> Iterator[tuple[str, Callable[[], None]]]:
    yield "the pages are served", lambda: _pages(outputs)
    yield "they know the API and the WebSockets", lambda: _addresses(outputs)
    if outputs.distribution_domain:
        yield "they come with their security headers", lambda: _headers(outputs)
        yield "the bucket is closed to everybody else", lambda: _closed(session, outputs)
    yield "the API reaches its table, buckets and queues", lambda: _ready(outputs)
    yield "it lists the videos", lambda: _listed(outputs)
    yield "it takes nothing without a token", lambda: _refused(outputs)
    yield "the monitor runs", lambda: _monitor(session)


def _patiently(name: str, look: Callable[[], None], patience_s: float) -> None:
    deadline = time.monotonic() + patience_s
    while True:
        try:
            look()
        except (SmokeError, OSError, ValueError, KeyError) as error:
            if time.monotonic() > deadline:
                raise SmokeError(f"it cannot be seen that {name}: {error}") from error
            time.sleep(min(_PAUSE_S, patience_s))
        else:
            return


def _pages(outputs: Outputs) -> None:
    answer = _ask(f"{outputs.site_url}/index.html")
    _expect(answer.status == 200, f"index.html: {answer.status}")
    kind = answer.headers.get("content-type", "none")
    _expect(kind.startswith("text/html"), f"index.html is {kind}")


def _addresses(outputs: Outputs) -> None:
    told = _ask(f"{outputs.site_url}/config.json").json
    _expect(told.get("apiUrl") == outputs.api_url, f"config.json names {told.get('apiUrl')}")
    _expect(told.get("signalUrl") == outputs.signal_url, "config.json names another signalUrl")


def _headers(outputs: Outputs) -> None:
    headers = _ask(f"{outputs.site_url}/index.html").headers
    for name in ("content-security-policy", "strict-transport-security", "x-content-type-options"):
        _expect(name in headers, f"there is no {name}")
    page = _ask(f"{outputs.site_url}/nothing-here")
    _expect(page.status == 404, f"what is not there: {page.status}")


def _closed(session: Any, outputs: Outputs) -> None:
    s3 = session.client("s3")
    # Without a signature: as everybody.
    url = f"{s3.meta.endpoint_url}/{outputs.site_bucket}/index.html"
    status = _ask(url).status
    _expect(status == 403, f"S3 answers {status}")


def _ready(outputs: Outputs) -> None:
    answer = _ask(f"{outputs.api_url}/health/ready")
    _expect(answer.status == 200, f"/health/ready: {answer.status} {answer.body[:300]!r}")


def _listed(outputs: Outputs) -> None:
    answer = _ask(f"{outputs.api_url}/videos?limit=1")
    _expect(answer.status == 200 and "videos" in answer.json, f"/videos: {answer.status}")


def _refused(outputs: Outputs) -> None:
    body = {"filename": "a.mp4", "size_bytes": 1, "content_type": "video/mp4"}
    answer = _ask(f"{outputs.api_url}/uploads", json.dumps(body).encode())
    _expect(answer.status == 401, f"/uploads: {answer.status}")


def _monitor(session: Any) -> None:
    answer = session.client("lambda").invoke(FunctionName=f"{PREFIX}-monitor", Payload=b"{}")
    _expect("FunctionError" not in answer, answer["Payload"].read().decode(errors="replace")[:300])


def _expect(well: bool, otherwise: str) -> None:
    if not well:
        raise SmokeError(otherwise)


def _ask(url: str, body: bytes | None = None) -> Answer:
    headers = {"Content-Type": "application/json"} if body else {}
    request = urllib.request.Request(url, body, headers)  # noqa: S310 - of our own deployment
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response:  # noqa: S310
            return _answer(response.status, response.headers, response.read())
    except urllib.error.HTTPError as refused:
        with refused:
            return _answer(refused.code, refused.headers, refused.read())


def _answer(status: int, headers: Any, body: bytes) -> Answer:
    return Answer(status, {name.lower(): value for name, value in headers.items()}, body)
