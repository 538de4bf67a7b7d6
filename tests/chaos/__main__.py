"""Storm after storm on a Millrace of its own, with a new seed each, until the time is over.

./millrace bench chaos --minutes 60 --seed 1
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.chaos.storm import WORK, Plan, delete_all, exposed_pipeline, markdown, next_seed, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="./millrace bench chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument(
        "--seed", type=int, default=1, help="of the first storm; then one more each"
    )
    parser.add_argument("--videos", type=int, default=24, help="in flight in each storm")
    parser.add_argument("--storm-s", type=float, default=60, help="how long each one rages")
    given = parser.parse_args()
    plan = Plan(given.seed, given.videos, storm_s=given.storm_s, emulator_kills=2)
    WORK.mkdir(parents=True, exist_ok=True)
    ends, breaches = time.monotonic() + 60 * given.minutes, 0
    with exposed_pipeline(WORK / "state", given.seed) as (pipeline, faults):
        while True:
            faults.struck.clear()
            outcome = run(pipeline, faults, plan)
            breaches += len(outcome.breaches)
            text = markdown(outcome)
            with (WORK / "report.md").open("a") as report:
                report.write(text + "\n\n")
            print(text, flush=True)
            if time.monotonic() > ends or outcome.breaches:
                break
            delete_all(pipeline)
            plan = next_seed(plan)
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
