"""Serves the pages with videos in every state, for work on them: `python -m tests.e2e.pages`."""

from __future__ import annotations

import itertools
import tempfile
import time
from pathlib import Path

from tests.e2e.pages.fake_api import TOKEN, Fake, State, video
from tests.e2e.pages.sample import make_sample


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, Fake(State(media=Path(folder))) as fake:
        make_sample(Path(folder))
        poster = f"{fake.api_origin}/media/poster.jpg"
        reason = {"code": "NOT_A_VIDEO", "message": ""}
        fake.state.videos = [
            video(5, "queued"),
            video(4, "processing", percent=0),
            video(3, "failed", reason=reason),
            video(2, hls_url=fake.master_url, poster_url=poster),
            *(video(number, poster_url=poster) for number in range(90, 20, -1)),
        ]
        print(f"{fake.site_url}/index.html#token={TOKEN}  (Ctrl-C ends it)")
        for second in itertools.count():
            fake.state.videos[1]["percent"] = second % 100
            time.sleep(1)


if __name__ == "__main__":
    main()
