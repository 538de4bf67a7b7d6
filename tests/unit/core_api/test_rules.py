from __future__ import annotations

import re

import pytest

from millrace import paging, upload_rules
from millrace.problems import FieldError, Problem, ProblemType
from millrace.upload_rules import CONTENT_TYPES, MIB, parse_upload_request

ANY = re.compile(r".*", re.DOTALL)


@pytest.mark.parametrize(
    ("extension", "content_type"),
    [(extension, accepted) for extension, types in CONTENT_TYPES.items() for accepted in types],
)
def test_every_known_type_is_taken_when_it_fits_the_ending(
    extension: str, content_type: str
) -> None:
    body = {"filename": f"A film{extension.upper()}", "size_bytes": 1, "content_type": content_type}
    request = parse_upload_request(body, max_bytes=10)
    assert (request.extension, request.content_type) == (extension, content_type)
    assert request.title == "A film"


def test_parameters_are_dropped_when_a_type_has_some() -> None:
    body = {"filename": "a.webm", "size_bytes": 1, "content_type": "Video/WebM; codecs=vp9"}
    assert parse_upload_request(body, max_bytes=10).content_type == "video/webm"


@pytest.mark.parametrize("filename", ["a.b.mp4", "Ünï 日本.mp4", "a..mp4", "-rf.mp4", "a b.mp4"])
def test_a_name_is_taken_when_it_is_only_unusual(filename: str) -> None:
    assert parse_upload_request({"filename": filename, "size_bytes": 1}, 10).filename


def test_the_files_name_becomes_the_title_when_the_title_is_blank() -> None:
    body = {"filename": "x" * 250 + ".mp4", "size_bytes": 1, "title": " \t "}
    assert parse_upload_request(body, 10).title == "x" * upload_rules.MAX_TITLE_CHARS


@pytest.mark.parametrize("size", [16 * MIB + 1, 10**9, 10**11 + 7, 5 * 10**12, 80_000 * MIB + 1])
def test_the_parts_make_up_the_file_when_cut(size: int) -> None:
    count, part = upload_rules.part_count(size), upload_rules.part_size(size)
    assert part >= upload_rules.MIN_PART_BYTES
    assert part % MIB == 0
    assert count <= upload_rules.MAX_PARTS
    assert sum(upload_rules.bytes_of_part(size, n + 1) for n in range(count)) == size


def test_a_cursor_gives_back_its_position_when_unchanged() -> None:
    for position in ("2026-05-31T12:00:00.000000Z#" + "a" * 26, "x", "LOG#a b#c"):
        cursor = paging.encode_cursor("scope", position)
        assert re.fullmatch(r"[A-Za-z0-9_-]+", cursor)
        assert paging.decode_cursor("scope", cursor, ANY) == position


def test_no_single_change_goes_unnoticed_when_a_cursor_is_tampered_with() -> None:
    cursor = paging.encode_cursor("scope", "2026-05-31T12:00:00.000000Z#" + "a" * 26)
    for place in range(len(cursor)):
        for other in "Ab-_=!":
            changed = cursor[:place] + other + cursor[place + 1 :]
            if changed != cursor:
                with pytest.raises(Problem):
                    paging.decode_cursor("scope", changed, ANY)


def test_the_standard_members_win_when_extensions_have_their_names() -> None:
    problem = Problem(ProblemType.CONFLICT, "why", extensions={"status": 200, "more": 1})
    assert problem.document() == {
        "more": 1,
        "type": "https://millrace.dev/problems/conflict",
        "title": ProblemType.CONFLICT.title,
        "status": 409,
        "detail": "why",
    }


def test_errors_are_listed_when_fields_are_bad() -> None:
    problem = Problem(
        ProblemType.VALIDATION_FAILED, "why", errors=[FieldError("a", "missing", "a is missing.")]
    )
    wanted = [{"field": "a", "code": "missing", "message": "a is missing."}]
    assert problem.document()["errors"] == wanted


def test_slugs_are_unique_when_the_catalogue_grows() -> None:
    slugs = [problem.slug for problem in ProblemType]
    assert len(set(slugs)) == len(slugs)
