"""Users as Locust runs them: each uploads as the upload page does, then follows its video to the
end. `python -m tests.load` starts this, and sets the variables. Locust makes `time.sleep` and
threads those of gevent.
"""

from __future__ import annotations

import itertools
import json
import os
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from locust import HttpUser, constant, events, task
from locust.exception import StopUser

from tests.load.sources import Source, read

TOKEN = os.environ["MILLRACE_LOAD_TOKEN"]
SOURCES = read(Path(os.environ["MILLRACE_LOAD_SOURCES"]))
RESULT = Path(os.environ["MILLRACE_LOAD_RESULT"])
UNTIL = time.time() + 3600 * float(os.environ.get("MILLRACE_LOAD_HOURS") or 0)
SOAKING = "MILLRACE_LOAD_HOURS" in os.environ
GIVE_UP_S = float(os.environ.get("MILLRACE_LOAD_GIVE_UP_S", "3600"))
FINAL = ("completed", "failed", "cancelled")
_LOOKS_S = (1.0, 2.0, 3.0, 5.0, 8.0, 10.0, 15.0, 20.0, 30.0)
"""Between looks at one's own video: often at first, then less."""
_AGAIN = (0, 429, 500, 502, 503, 504)
"""No answer, or one that says: later."""
_TRIES = 8

jobs: list[dict[str, Any]] = []
_numbers = itertools.count()


class Uploader(HttpUser):
    """One person. In a soak the next upload follows the last."""

    wait_time = constant(0)

    @task
    def upload_and_follow(self) -> None:
        number = next(_numbers)
        if not SOAKING and number >= len(SOURCES):
            raise StopUser
        source = SOURCES[number % len(SOURCES)]
        job: dict[str, Any] = {"source": source.name, "bytes": source.size_bytes, "status": "lost"}
        jobs.append(job)
        job["began"] = time.time()
        try:
            self._follow(job, self._upload(source))
            if SOAKING:  # the disk is to last
                self._call("DELETE", f"/videos/{job['id']}", name="DELETE /videos/…")
        except LostError as error:
            job["why"] = str(error)
        job.setdefault("ended", time.time())
        if time.time() >= UNTIL:
            raise StopUser

    def _upload(self, source: Source) -> str:
        body = {
            "filename": Path(source.path).name,
            "size_bytes": source.size_bytes,
            "content_type": source.content_type,
            "title": source.name,
        }
        created = self._call("POST", "/uploads", json=body, name="POST /uploads")
        video_id, target = str(created["video_id"]), created["upload"]
        if target["method"] == "post":
            self._send_form(Path(source.path), target)
        else:
            self._send_parts(video_id, Path(source.path), target)
        return video_id

    def _send_form(self, path: Path, target: dict[str, Any]) -> None:
        form = {key: (None, value) for key, value in target["fields"].items()}
        content = path.read_bytes()
        self._call("POST", target["url"], name="S3 POST form", files={**form, "file": content})

    def _send_parts(self, video_id: str, path: Path, target: dict[str, Any]) -> None:
        numbers = list(range(1, target["part_count"] + 1))
        route = f"/uploads/{video_id}"
        signed = self._call(
            "POST", f"{route}/parts", json={"part_numbers": numbers}, name="POST /uploads/…/parts"
        )
        parts = []
        with path.open("rb") as file:
            for part in signed["parts"]:
                content = file.read(target["part_size_bytes"])
                headers = self._send("PUT", part["url"], name="S3 PUT part", data=content).headers
                parts.append({"part_number": part["part_number"], "etag": headers["ETag"]})
        self._call(
            "POST", f"{route}/complete", json={"parts": parts}, name="POST /uploads/…/complete"
        )

    def _follow(self, job: dict[str, Any], video_id: str) -> None:
        job |= {"id": video_id, "uploaded": time.time()}
        for look in itertools.count():
            time.sleep(_LOOKS_S[min(look, len(_LOOKS_S) - 1)])
            video = self._call("GET", f"/status/{video_id}", name="GET /status/…")
            if video["status"] in FINAL:
                job |= {"status": video["status"], **self._times(video_id)}
                return
            if time.time() - job["uploaded"] > GIVE_UP_S:
                raise LostError(f"still {video['status']} after {GIVE_UP_S:.0f} s")

    def _times(self, video_id: str) -> dict[str, float]:
        """When it became playable, and ended, by the server's clock: looks are far apart."""
        video = self._call("GET", f"/videos/{video_id}", name="GET /videos/…")
        times = {"playable": video["playable_at"], "ended": video["completed_at"]}
        return {name: datetime.fromisoformat(at).timestamp() for name, at in times.items() if at}

    def _call(self, method: str, url: str, **options: Any) -> dict[str, Any]:
        response = self._send(method, url, **options)
        answer: dict[str, Any] = response.json() if response.content else {}
        return answer

    def _send(self, method: str, url: str, **options: Any) -> Any:
        """The answer; a request that was refused for now is sent again, as a browser would."""
        headers = {} if url.startswith("http") else {"Authorization": f"Bearer {TOKEN}"}
        for attempt in range(_TRIES):
            with self.client.request(
                method, url, headers=headers, catch_response=True, timeout=60, **options
            ) as response:
                if 200 <= response.status_code < 300:
                    return response
                response.failure(f"{response.status_code}")
            if response.status_code not in _AGAIN:
                break
            time.sleep(float(response.headers.get("Retry-After", 2**attempt / 2)))
        raise LostError(f"{options.get('name', url)} answered {response.status_code}")


class LostError(Exception):
    """This user's video cannot be followed any further."""


def _quit_at_the_end(environment: Any, **_: Any) -> None:
    """Locust itself would go on forever with nobody left."""

    def watch() -> None:
        while not environment.runner.user_count or not jobs:
            time.sleep(0.5)
        while environment.runner.user_count:
            time.sleep(0.5)
        environment.runner.quit()

    threading.Thread(target=watch, daemon=True).start()


def _write(environment: Any, **_: Any) -> None:
    requests = [
        {
            "name": entry.name,
            "requests": entry.num_requests,
            "failures": entry.num_failures,
            "p50_ms": entry.get_response_time_percentile(0.5),
            "p95_ms": entry.get_response_time_percentile(0.95),
        }
        for entry in environment.stats.entries.values()
    ]
    RESULT.write_text(json.dumps({"jobs": jobs, "requests": requests}))


events.test_start.add_listener(_quit_at_the_end)  # type: ignore[no-untyped-call]
events.quitting.add_listener(_write)  # type: ignore[no-untyped-call]
