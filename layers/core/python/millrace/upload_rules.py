"""What may be uploaded, and into which parts a large file is cut. Pure functions.

The name and the declared type are checked for the user's sake (a clear word before gigabytes are
sent), not for safety: what the file really is, the probe finds out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from millrace import settings_rules
from millrace.problems import FieldError, Problem, validation_failed
from millrace.video_settings import USUAL, VideoSettings

MIB = 1024 * 1024
SINGLE_POST_BYTES = 16 * MIB
"""Up to this a file is sent in one form post; above, in parts that can be retried one by one."""
MIN_PART_BYTES = 8 * MIB
MAX_PARTS = 10_000
"""S3 takes no more ("Amazon S3 multipart upload limits")."""
MAX_FILENAME_CHARS = 255
MAX_TITLE_CHARS = 200

_MPEG = ("video/mpeg", "video/mpg", "video/x-mpeg")
_OGG = ("video/ogg", "application/ogg")
CONTENT_TYPES: Mapping[str, tuple[str, ...]] = {
    ".mp4": ("video/mp4",),
    ".m4v": ("video/x-m4v", "video/mp4"),
    ".mov": ("video/quicktime", "video/mp4"),
    ".mkv": ("video/x-matroska", "video/matroska", "application/x-matroska"),
    ".webm": ("video/webm",),
    ".avi": ("video/x-msvideo", "video/avi", "video/msvideo", "video/vnd.avi"),
    ".mpg": _MPEG,
    ".mpeg": _MPEG,
    ".ts": ("video/mp2t",),
    ".flv": ("video/x-flv",),
    ".3gp": ("video/3gpp", "video/3gp"),
    ".ogv": _OGG,
    ".wmv": ("video/x-ms-wmv", "video/x-ms-asf"),
}
"""By extension, the MIME types browsers and systems give such files; the usual one first."""

_BIDI_CONTROLS = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
"""They can make a name read as another one: "gpj.exe" for "exe.jpg"."""


@dataclass(frozen=True, slots=True)
class UploadRequest:
    """A checked `POST /uploads`."""

    filename: str
    extension: str
    """Lower case with its dot, e.g. ".mp4"; one of `CONTENT_TYPES`."""
    size_bytes: int
    content_type: str
    title: str
    settings: VideoSettings = USUAL

    @property
    def is_multipart(self) -> bool:
        return self.size_bytes > SINGLE_POST_BYTES


@dataclass(frozen=True, slots=True)
class Part:
    """A part as listed by the client or stored in S3. `etag` is without quotes, lower case."""

    part_number: int
    etag: str
    size_bytes: int = 0


def parse_upload_request(body: Mapping[str, Any], max_bytes: int) -> UploadRequest:
    """Check the body of `POST /uploads`.

    Args:
        body: `filename`, `size_bytes`, and optionally `content_type`, `title` and `settings`.
        max_bytes: the largest file taken (MILLRACE_MAX_UPLOAD_BYTES).

    Raises:
        Problem: 422 validation-failed with one error for each bad field.
    """
    errors: list[FieldError] = []

    def check(field: str, rule: Callable[[Any], Any]) -> Any:
        if field not in body and field in ("filename", "size_bytes"):
            errors.append(FieldError(field, "missing", f"{field} is missing."))
            return None
        try:
            return rule(body.get(field))
        except _BadFieldError as bad:
            errors.append(FieldError(field, bad.code, bad.message))
            return None

    filename = check("filename", _filename)
    extension = _extension(filename) if filename else ""
    size_bytes = check("size_bytes", lambda value: _size(value, max_bytes))
    content_type = check("content_type", lambda value: _content_type(value, extension))
    title = check("title", lambda value: _title(value, filename or "video"))
    settings, wrong = settings_rules.parse(body.get("settings"))
    errors += wrong
    if errors:
        raise validation_failed(errors)
    return UploadRequest(filename, extension, size_bytes, content_type, title, settings)


def part_size(size_bytes: int) -> int:
    """Bytes of every part but the last: 8 MiB, or as many whole MiB as keep to 10,000 parts.

    A pure function of the size, so nobody has to remember how an upload was cut.
    """
    least = -(-size_bytes // MAX_PARTS)
    return max(MIN_PART_BYTES, -(-least // MIB) * MIB)


def part_count(size_bytes: int) -> int:
    return -(-size_bytes // part_size(size_bytes))


def bytes_of_part(size_bytes: int, part_number: int) -> int:
    """Exact length of part 1 … `part_count`."""
    size = part_size(size_bytes)
    return min(size, size_bytes - (part_number - 1) * size)


def parse_part_numbers(body: Mapping[str, Any], count: int, limit: int) -> list[int]:
    """`{"part_numbers": [1, 2, 3]}`: 1 to `limit` different numbers from 1 to `count`.

    Raises:
        Problem: 422 validation-failed.
    """
    numbers = body.get("part_numbers")
    if not isinstance(numbers, list) or not 1 <= len(numbers) <= limit:
        raise _one("part_numbers", "not_a_list", f"part_numbers lists 1 to {limit} part numbers.")
    checked = [_part_number(f"part_numbers[{i}]", n, count) for i, n in enumerate(numbers)]
    if len(set(checked)) != len(checked):
        raise _one("part_numbers", "repeated", "A part number is listed twice.")
    return checked


def parse_part_list(body: Mapping[str, Any], count: int) -> list[Part]:
    """`{"parts": [{"part_number": 1, "etag": "…"}, …]}`, sorted by number.

    Raises:
        Problem: 422 validation-failed.
    """
    entries = body.get("parts")
    if not isinstance(entries, list) or not 1 <= len(entries) <= MAX_PARTS:
        raise _one("parts", "not_a_list", "parts lists every part with its part_number and etag.")
    parts = [_part(f"parts[{position}]", entry, count) for position, entry in enumerate(entries)]
    if len({part.part_number for part in parts}) != len(parts):
        raise _one("parts", "repeated", "A part number is listed twice.")
    return sorted(parts, key=lambda part: part.part_number)


def normal_etag(etag: str) -> str:
    """S3 puts quotes around ETags, clients often drop them."""
    return etag.strip().strip('"').lower()


class _BadFieldError(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def _filename(value: Any) -> str:
    name = unicodedata.normalize("NFC", _text(value, "filename"))
    if not name.strip():
        raise _BadFieldError("empty", "filename is empty.")
    if len(name) > MAX_FILENAME_CHARS:
        raise _BadFieldError("too_long", f"filename has more than {MAX_FILENAME_CHARS} characters.")
    if any(map(_is_control, name)):
        raise _BadFieldError("control_character", "filename holds a control character.")
    if "/" in name or "\\" in name or name.startswith(".."):
        raise _BadFieldError("path", "filename is a path; send the bare name, e.g. holiday.mp4.")
    if _extension(name) not in CONTENT_TYPES:
        known = ", ".join(CONTENT_TYPES)
        raise _BadFieldError("unsupported_type", f"The name must end in one of {known}.")
    return name


def _extension(filename: str) -> str:
    return PurePosixPath(filename).suffix.lower()


def _size(value: Any, max_bytes: int) -> int:
    # bool is an int in Python, and 5.0 is no count of bytes.
    if isinstance(value, bool) or not isinstance(value, int):
        raise _BadFieldError("not_an_integer", "size_bytes must be a whole number of bytes.")
    if value < 1:
        raise _BadFieldError("empty", "The file is empty.")
    if value > max_bytes:
        raise _BadFieldError(
            "too_large", f"The file is larger than {max_bytes} bytes, the most taken."
        )
    return value


def _content_type(value: Any, extension: str) -> str:
    accepted = CONTENT_TYPES.get(extension)
    if value is None:
        # Browsers do not know .mkv or .ts on every system and give no type for them.
        return accepted[0] if accepted else ""
    text = _text(value, "content_type")
    # MediaRecorder and some systems add parameters: video/webm;codecs=vp9.
    bare = text.partition(";")[0].strip().lower()
    if accepted is None:
        return bare  # the name is wrong already, and says so
    if bare not in accepted:
        raise _BadFieldError(
            "type_mismatch", f"A {extension} file is sent as {' or '.join(accepted)}."
        )
    return bare


def _title(value: Any, filename: str) -> str:
    title = _clean(_text(value, "title")) if value is not None else ""
    if len(title) > MAX_TITLE_CHARS:
        raise _BadFieldError("too_long", f"title has more than {MAX_TITLE_CHARS} characters.")
    stem = _clean(PurePosixPath(filename).stem)[:MAX_TITLE_CHARS].strip()
    return title or stem or "video"


def _clean(text: str) -> str:
    """One line of visible text: control characters become spaces, runs of spaces one."""
    spaced = "".join(" " if _is_control(c) else c for c in unicodedata.normalize("NFC", text))
    return " ".join(spaced.split())


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cs") or character in _BIDI_CONTROLS


def _text(value: Any, field: str) -> str:
    if not isinstance(value, str):
        raise _BadFieldError("not_a_string", f"{field} must be a string.")
    return value


def _part(field: str, entry: Any, count: int) -> Part:
    if not isinstance(entry, dict):
        raise _one(field, "not_an_object", "A part is an object with part_number and etag.")
    number = _part_number(f"{field}.part_number", entry.get("part_number"), count)
    etag = entry.get("etag")
    if not isinstance(etag, str) or not re.fullmatch(r"[0-9a-f]{32}", normal_etag(etag)):
        message = "etag is the ETag header S3 answered the part with."
        raise _one(f"{field}.etag", "not_an_etag", message)
    return Part(part_number=number, etag=normal_etag(etag))


def _part_number(field: str, number: Any, count: int) -> int:
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= count:
        message = f"A part number of this upload is 1 to {count}."
        raise _one(field, "out_of_range", message)
    return number


def _one(field: str, code: str, message: str) -> Problem:
    return validation_failed([FieldError(field, code, message)])
