"""Search by title and the orders of a listing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from millrace import catalogue, keys, searching
from millrace.model import Item, Video, VideoStatus
from tests.unit.api.conftest import Cloud, MakeVideo
from tests.unit.api.support import Api
from tests.unit.api.test_videos import all_pages, fill, flat, listed

START = datetime(2026, 5, 1, tzinfo=UTC)


def at(hour: int) -> str:
    return keys.timestamp(START + timedelta(hours=hour))


def lasting(seconds: float) -> dict[str, Any]:
    return {"media": {"format": {"duration_s": seconds}}}


@pytest.fixture
def titled(make_video: MakeVideo) -> list[str]:
    """Each an hour newer than the one before."""
    titles = [
        "Holiday in Müllheim",
        "holiday_2024 (part 10)",
        "Part 2: the HOLLOW",
        "東京タワー 2024",
        "Straße nach Süden",
        "A to Z",
    ]
    for hour, title in enumerate(titles):
        make_video(title=title, created_at=at(hour))
    return titles


def titles_of(api: Api, query: str) -> list[str]:
    return [video["title"] for video in api.get(f"/videos?{query}").body["videos"]]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("h", [2, 1, 0]),
        ("ho", [2, 1, 0]),
        ("holi", [1, 0]),
        ("HOLIDAY", [1, 0]),
        ("holidays", []),
        ("liday", []),
        ("mullheim", [0]),
        ("2024", [3, 1]),
        ("part hol", [2, 1]),
        ("hol p 2", [2, 1]),
        ("strasse", [4]),
        ("タワ", [3]),
        ("京", [3]),
        ("to", [5]),
        ("a z", [5]),
        ("holiday holiday", [1, 0]),
        ("!?", []),
        ("", []),
    ],
)
def test_titles_with_all_the_words_are_found_when_searched(
    api: Api, titled: list[str], text: str, found: list[int]
) -> None:
    assert titles_of(api, f"q={quote(text)}") == [titled[n] for n in found]
    assert titles_of(api, f"sort=oldest&q={quote(text)}") == [titled[n] for n in reversed(found)]


def test_each_is_found_once_when_a_search_is_paged(api: Api, make_video: MakeVideo) -> None:
    made = [make_video(title=f"Clip {n} Clipper", created_at=at(n)).video_id for n in range(23)]
    assert [len(page) for page in all_pages(api, "q=cli&limit=10")] == [10, 10, 3]
    assert listed(api, "q=cli&limit=5") == made[::-1]
    assert listed(api, "q=clip&sort=oldest&limit=5") == made
    first, last = "from=2026-05-01T03:00:00Z", "to=2026-05-01T09:00:00Z"
    assert listed(api, f"q=clip&limit=4&{first}&{last}") == made[3:9][::-1]


def test_the_rare_word_is_looked_up_when_the_other_is_in_every_title(
    api: Api, make_video: MakeVideo, dynamodb_requests: list[str]
) -> None:
    for n in range(60):
        make_video(title=f"Film {1000 + n}", created_at=at(n))
    rare = make_video(title="Film 7", created_at=at(-1)).video_id
    dynamodb_requests.clear()
    assert all_pages(api, "q=film+7&limit=5") == [[rare]]
    assert sorted(dynamodb_requests) == ["BatchGetItem", "Query", "Query", "Query"]


def test_hidden_and_other_videos_are_left_out_when_searched(
    api: Api, admin: str, make_video: MakeVideo
) -> None:
    failed = make_video(VideoStatus.FAILED).video_id
    done = make_video().video_id
    cancelled = make_video(VideoStatus.CANCELLED).video_id
    for query in ("q=holiday", "sort=title"):
        assert set(listed(api, query)) == {failed, done}
        assert listed(api, f"{query}&status=failed") == [failed]
        assert set(listed(api, query, token=admin)) == {failed, done, cancelled}


def test_a_page_stays_cheap_when_hundreds_match_and_are_hidden(
    api: Api, make_video: MakeVideo, dynamodb_requests: list[str]
) -> None:
    shown = make_video(created_at=at(0)).video_id
    for n in range(30):
        make_video(VideoStatus.CANCELLED, created_at=at(n + 1))
    dynamodb_requests.clear()
    first = api.get("/videos?q=holiday&limit=5").body
    assert first["videos"] == []
    assert first["next_cursor"]
    assert dynamodb_requests.count("BatchGetItem") == 4
    assert listed(api, "q=holiday&limit=5") == [shown]


def test_a_page_comes_short_when_too_many_entries_do_not_match(
    api: Api, make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "EXAMINED", 7)
    found = make_video(title="Hollow", created_at=at(0)).video_id
    for n in range(19):
        make_video(title="Holiday", created_at=at(n + 1))
    assert all_pages(api, "q=hollow") == [[], [], [found]]


def test_the_oldest_come_first_when_asked_for(api: Api, make_video: MakeVideo) -> None:
    newest_first = fill(make_video, 60, per_hour=2)
    assert flat(all_pages(api, "sort=oldest&limit=7")) == newest_first[::-1]
    assert listed(api, "sort=newest&limit=50") == newest_first
    failed = listed(api, "sort=oldest&status=failed&limit=11&from=2026-05-01T05:00:00Z")
    assert failed == listed(api, "status=failed&limit=100&from=2026-05-01T05:00:00Z")[::-1]


def test_titles_come_as_people_sort_them_when_sorted(api: Api, make_video: MakeVideo) -> None:
    wanted = ["(Alpha)", "älter", "Part 2", "part 10", "Part 10 b", "Zoo"]
    for hour, title in enumerate(reversed(wanted)):
        make_video(title=title, created_at=at(hour))
    for limit in (2, 6, 100):
        pages = all_pages(api, f"sort=title&limit={limit}")
        assert [Video.get(f"VIDEO#{name}", "VIDEO").title for name in flat(pages)] == wanted
    assert len(listed(api, "sort=title&from=2026-05-01T02:00:00Z&to=2026-05-01T04:00:00Z")) == 2


def test_the_longest_come_first_when_asked_for(api: Api, make_video: MakeVideo) -> None:
    lengths = [7200.0, 60.5, 60.4, 9.0, 0.04]
    made = [make_video(**lasting(length)).video_id for length in lengths]
    make_video(VideoStatus.QUEUED)  # nobody knows yet how long it is
    assert listed(api, "sort=longest&limit=2") == made
    assert listed(api, "sort=shortest&limit=2") == made[::-1]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("sort=size", "sort"),
        ("sort=", "sort"),
        ("sort=title&q=a", "sort"),
        (f"q={'a' * 101}", "q"),
        ("Q=a", "Q"),
    ],
)
def test_it_answers_400_when_a_search_is_not_valid(api: Api, query: str, field: str) -> None:
    answer = api.get(f"/videos?{query}")
    assert (answer.status, answer.problem) == (400, "invalid-parameters")
    assert set(answer.bad_fields) == {field}


def test_a_cursor_is_refused_when_words_or_order_are_others(
    api: Api, make_video: MakeVideo
) -> None:
    for _ in range(3):
        make_video()
    for query in ("q=holiday", "sort=title", "sort=oldest", "limit=1"):
        cursor = api.get(f"/videos?limit=1&{query}").body["next_cursor"]
        for other in ("q=holi", "sort=longest", "sort=oldest&q=holiday"):
            assert api.get(f"/videos?{other}&cursor={cursor}").problem == "invalid-cursor"


def test_an_announced_video_is_found_and_forgotten_when_its_items_go(
    api: Api, cloud: Cloud, uploader: str, admin: str
) -> None:
    body = {"filename": "x.mp4", "size_bytes": 9, "title": "Grüße " + "w o r d s " * 19}
    headers = {"Idempotency-Key": "k"}
    first = api.post("/uploads", body, token=uploader, headers=headers).body["video_id"]
    assert api.post("/uploads", body, token=uploader, headers=headers).status == 201
    assert listed(api, "q=grusse", token=admin) == [first]
    entries = [item for item in Item.query(keys.video_pk(first)) if item.sk.startswith("ENTRY#")]
    assert {item.sk for item in entries} > {"ENTRY#title", "ENTRY#word#g", "ENTRY#word#gru"}


def test_no_title_outgrows_a_transaction_when_it_is_as_long_as_may_be() -> None:
    long = " ".join(f"{chr(97 + n % 26)}{n}{chr(98 + n % 25)}" for n in range(60))[:200]
    assert len(catalogue.title_entries("a" * 26, long, at(0))) <= 2 * catalogue.MAX_WORDS + 1
    assert catalogue.words("x" * 300) == ("x" * 40,)
