"""The long article quotes: its figures are those of the pages that measured them."""

from __future__ import annotations

import re

import pytest

from tests.harness.media import REPOSITORY

FOLDER = REPOSITORY / "docs" / "explanation"
ARTICLE = " ".join((FOLDER / "from-libav-to-production.md").read_text().split())
QUOTES = {
    "docs/ENGINE.md": [
        ("66.5 s", "39.6 s ÷ 66.5 s"),
        ("39.6 s | 0.577 | 96.14", "39.6 s ÷ 66.5 s) | 0.577 | 1.22 GB"),
        ("96.03", "96.14 (+0.11)"),
        ("1.22 GB here", "0.577 | 1.22 GB"),
        ("in 0.11 s", "0.11 / 0.12 s"),
        ("31 % of the bits", "mean | 0.69"),
        ("five points of VMAF too high", "5 too much was seen on a dark film"),
        ("a model of eight coefficients", "a model of eight coefficients"),
        ("hears 16 packets before and 3 after", "hears 16 packets before and 3 after"),
        ("a quarter of a percent of a 2.3 GB file", "0.12 s | 0.23 / 0.19 %"),
        ("between 6 % for the hand-held one and 64 %", "film, darker | 0.36"),
        ("spans of 512 packets", "spans of 512 packets"),
        ("one file in two hundred", "one file in two hundred"),
    ],
    "docs/explanation/scaling.md": [
        ("| 1 | 34 min 57 s | 1.0 |", "34 min 57 s | 1.0 |"),
        ("| 10 | 3 min 42 s | 9.4 |", "3 min 42 s | 9.4 |"),
        ("| 1,000 | 49.5 s | 42.4 |", "49.5 s | 42.4 |"),
        ("6.3 seconds for an hour", "| 10 | 8 | 10 | 6.3 s |"),
        ("after 42 seconds", "41.7 s"),
        ("114 tasks", "114 tasks"),
        ("add 300 executions a minute", "adds 300 a minute"),
        ("a fortieth of the picture", "0.027 a second of source"),
        ("a fortieth of the picture", "1.164 a second of source"),
    ],
    "docs/explanation/load.md": [
        ("682 videos an hour", "682 videos an hour"),
        ("10.6 minutes", "10.6 min"),
        ("always answered", "100.00%"),
        ("3.9 seconds at the median", "| `POST /uploads` | 120 | 0 | 3900 ms"),
        ("within a minute and a half", "86 s / 167 s"),
    ],
    "docs/explanation/one-machine.md": [
        ("25 ms of CPU to 4", "25 ms of CPU to 4"),
        ("from 52 to 22", "from 52 to 22"),
        ("from 9 % of a processor to 5", "from 9 % of a processor to 5"),
        ("operation from 9 to 1", "about 1 ms of CPU there, and about 9 ms"),
        ("sixteen seconds for four messages", "sixteen seconds"),
    ],
    "docs/explanation/cost.md": [
        ("$0.0030 for a minute", "0.002959"),
        ("82 % is compute", "compute is 82 %"),
        ("four fifths of the bill", "191.25 | 238.31"),
        ("a fifteenth of", "A fifteenth of MediaConvert's price"),
    ],
    "docs/explanation/webrtc.md": [
        ("6 to 30 seconds", "6 to 30 s;"),
        ("50 to 500 milliseconds", "0.05 to 0.5 s"),
    ],
    "docs/ARCHITECTURE.md": [
        ("eight write units a move", "eight write units more"),
        (
            "three quarters of a video's chunks are done",
            "three quarters of a video's chunks are done",
        ),
    ],
    "docs/explanation/fairness.md": [("some 225 chunks", "some 225 chunks")],
}


@pytest.mark.parametrize("source", QUOTES)
def test_figure_is_the_sources_when_the_article_quotes_it(source: str) -> None:
    page = " ".join((REPOSITORY / source).read_text().split())
    for quoted, told in QUOTES[source]:
        assert quoted in ARTICLE, quoted
        assert told in page, f"{source} no longer says {told!r}; the article does"


def test_crashes_are_as_many_as_the_article_says_when_counted() -> None:
    page = (REPOSITORY / "docs/ARCHITECTURE.md").read_text()
    section = page.split("## When something dies")[1].split("\n### ")[0]
    rows = re.findall(r"^\| (?:\*\*|…)", section, re.MULTILINE)
    assert len(rows) == 30
    assert "[thirty rows]" in ARTICLE


def test_article_is_long_and_illustrated_when_read() -> None:
    assert len(ARTICLE.split()) > 2500
    assert len(re.findall(r"!\[[^\]]{20,}\]\(", ARTICLE)) >= 4
