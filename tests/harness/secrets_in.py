"""Looks for what must never be in a log: tokens, signatures, secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

SECRET = re.compile(
    rb"mr_[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])"  # an access token
    rb"|X-Amz-(?:Signature|Credential)=[^\s&\"]+"  # of a presigned URL
    rb"|(?<![A-Za-z0-9])whsec_[A-Za-z0-9+/=]{20,}"  # of a webhook
)


def secrets_in(folder: Path) -> Iterator[str]:
    """Where there are some: the file, the line, and the line's beginning. Never the secret."""
    for path in sorted(folder.rglob("*.log*")):
        for number, line in enumerate(path.read_bytes().splitlines(), start=1):
            if found := SECRET.search(line):
                before = line[max(0, found.start() - 120) : found.start()]
                yield f"{path.name}:{number}: …{before.decode(errors='replace')}⟨{found[0][:6]!r}…⟩"
