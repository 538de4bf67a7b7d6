"""docs/explanation/cost.md: its sums follow from its prices, and its prices from their sources."""

from __future__ import annotations

import json
import re

from millrace import prices
from tests.harness.media import REPOSITORY

FOLDER = REPOSITORY / "docs" / "explanation"
PAGE = (FOLDER / "cost.md").read_text()
MINUTES, WATCHED = 10_000, 100_000
STORED_GB = MINUTES * (10.0 + 0.128) * 60 / 8 / 1000
DELIVERED_GB = WATCHED * 3.0 * 60 / 8 / 1000


def rows(name: str) -> list[list[str]]:
    """Cells of the marked table, without its heading."""
    match = re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", PAGE, re.DOTALL)
    assert match is not None
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in match[1].splitlines()[2:]
    ]


def price(beginning: str) -> float:
    (found,) = [row for row in rows("prices") if row[0].startswith(beginning)]
    return float(found[1])


def test_sums_follow_from_the_prices_when_a_library_is_billed() -> None:
    stored, delivered = STORED_GB * price("S3"), DELIVERED_GB * price("CloudFront")
    outputs = 2 * price("MediaConvert Basic, H.264, SD") + 2 * price(
        "MediaConvert Basic, H.264, HD"
    )
    kept, seen = MINUTES * price("Mux, storage"), WATCHED * price("Mux, delivery")
    wanted = {
        "Millrace": (MINUTES * price("Millrace"), stored, delivered),
        "MediaConvert": (MINUTES * outputs, stored, delivered),
        "Mux, basic": (MINUTES * price("Mux, input, quality basic"), kept, seen),
        "Mux, premium": (MINUTES * price("Mux, input, quality premium"), kept, seen),
        "Cloudflare": (
            MINUTES * price("Cloudflare Stream, input"),
            MINUTES * price("Cloudflare Stream, storage"),
            WATCHED * price("Cloudflare Stream, delivery"),
        ),
    }
    for name, parts in wanted.items():
        (row,) = [row for row in rows("library") if row[0].startswith(name)]
        shown = [float(cell) for cell in row[1:]]
        for told, part in zip(shown, (*parts, sum(parts)), strict=True):
            assert abs(told - part) < 0.006, (name, told, part)


def test_our_price_is_the_simulations_when_quoted() -> None:
    row = re.search(r"^\| x86_64 \| 1 \| (.+?) \|$", (FOLDER / "scaling.md").read_text(), re.M)
    assert row is not None
    compute, table, objects, _, together = [float(cell.strip(" $")) for cell in row[1].split("|")]
    assert price("Millrace") == together
    for share, name in ((compute, "compute is"), (objects, "object\\)"), (table, "the table")):
        part = rf"{name} {100 * share / together:.0f} %"
        assert re.search(part, " ".join(PAGE.split())), part


def test_prices_are_the_same_when_the_estimate_and_the_simulation_have_them() -> None:
    read = json.loads((REPOSITORY / "bench/scaling/prices.json").read_text())
    assert abs(read["lambda"]["per_gb_s"]["x86_64"] - prices.LAMBDA_GB_SECOND_USD) < 1e-9
    assert read["sqs"]["per_million_requests"] == round(prices.SQS_REQUEST_USD * 1e6, 6)
    assert read["s3_standard"]["per_thousand_writes"] == round(prices.S3_PUT_USD * 1e3, 6)
    units = read["dynamodb_on_demand"]["per_million_write_units"]
    assert units == round(prices.DYNAMODB_WRITE_UNIT_USD * 1e6, 6)
