"""The Content-Security-Policy that CloudFront sends with the pages."""

from __future__ import annotations

import html
import re

from cdk.paths import ROOT


def page_policy() -> str:
    """The policy that the pages themselves bring, as it is away from one machine.

    That of the call page: it allows sockets besides what the others do. A browser keeps to a page's
    own policy and to this one, so the others stay as strict as they are.
    """
    page = (ROOT / "frontend" / "chat.html").read_text()
    (policy,) = re.findall(r'Content-Security-Policy"\s+content="([^"]+)"', page)
    rules = []
    for rule in html.unescape(policy).split(";"):
        kept = [part for part in rule.split() if not _is_this_machine(part)]
        rules.append(" ".join(kept))
    return "; ".join(rules)


def _is_this_machine(source: str) -> bool:
    return source.startswith(("http:", "ws:"))
