"""Pages of a listing, and the cursors that lead from one to the next."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from millrace.problems import FieldError, Problem, ProblemType, invalid_parameter

DEFAULT_LIMIT = 24
MAX_LIMIT = 100
EXAMINED_PER_ENTRY = 4
"""A page gives up after this many items per entry asked for, and comes out short, with a cursor:
hidden items must not make a request's cost depend on how many there are."""
_DIGEST_BYTES = 9

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    entries: list[T]
    next_cursor: str | None
    """None on the last page. A page may be short, even empty, and still have a next one."""


def parse_limit(params: Mapping[str, str]) -> int:
    """`limit`, 1 to 100, 24 when absent."""
    text = params.get("limit", str(DEFAULT_LIMIT))
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= MAX_LIMIT:
        raise invalid_parameter("limit", "out_of_range", f"limit is 1 to {MAX_LIMIT}.")
    return int(text)


def only(params: Mapping[str, str], known: set[str]) -> None:
    """Refuse parameters that are not known: a misspelt filter that is ignored would list
    everything and look right.

    Raises:
        Problem: 400 invalid-parameters.
    """
    unknown = sorted(set(params) - known)
    if unknown:
        errors = [
            FieldError(name[:64], "unknown", f"Known are {', '.join(sorted(known))}.")
            for name in unknown[:10]
        ]
        detail = "There is a query parameter that this address does not have."
        raise Problem(ProblemType.INVALID_PARAMETERS, detail, errors=errors)


def encode_cursor(scope: str, position: str) -> str:
    """An opaque cursor: the position, bound by a digest to the query it belongs to.

    The digest is no secret: it catches mistakes and mixed-up queries. A forged position gives
    nothing that the filters do not.
    """
    raw = _digest(scope, position) + position.encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode_cursor(scope: str, cursor: str, pattern: re.Pattern[str]) -> str:
    """The position in a cursor that `encode_cursor` made for the same scope, or 400."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        raw = base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True)
        position = raw[_DIGEST_BYTES:].decode()
    except (binascii.Error, UnicodeError):
        raise _invalid_cursor() from None
    genuine = hmac.compare_digest(raw[:_DIGEST_BYTES], _digest(scope, position))
    # Re-encoding refuses a second spelling: base64 ignores the last character's spare bits.
    if not (genuine and pattern.fullmatch(position) and encode_cursor(scope, position) == cursor):
        raise _invalid_cursor()
    return position


def _digest(scope: str, position: str) -> bytes:
    return hashlib.sha256(f"cursor-1|{scope}|{position}".encode()).digest()[:_DIGEST_BYTES]


def _invalid_cursor() -> Problem:
    detail = "Take next_cursor from the page before, unchanged, with the same filters."
    return Problem(ProblemType.INVALID_CURSOR, detail)
