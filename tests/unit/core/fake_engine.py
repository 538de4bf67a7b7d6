"""A program that speaks the engine's contract without knowing anything about media.

It makes "segments" whose bytes depend on the track and the index only. What it is to get wrong is
told to it by a file beside it.
"""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAM = """#!{python} -SE
import json, os, signal, sys, time
home = {home!r}
arguments = sys.argv[1:]
command, options = arguments[0], arguments[2:]
def option(name):
    return options[options.index(name) + 1] if name in options else None
def say(**line):
    print(json.dumps(line), flush=True)
label = command
for name in ("--chunk", "--audio", "--subtitles"):
    if option(name) is not None:
        label += name.replace("--", "-") + "-" + option(name)
with open(home + "/calls", "a") as calls:
    calls.write(json.dumps([label, arguments, sorted(os.environ)]) + "\\n")
def fault(moment):
    path = home + "/faults.json"
    if not os.path.exists(path):
        return
    faults = json.load(open(path))
    for item in faults:
        if item["label"] == label and item["moment"] == moment and item["times"] > 0:
            item["times"] -= 1
            json.dump(faults, open(path, "w"))
            act(item)
def act(item):
    if item["do"] == "kill":
        print("a last word before the end", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    if item["do"] == "error":
        print("the engine's log", file=sys.stderr, flush=True)
        say(type="error", code=item["code"], message=item["message"])
        sys.exit(item["exit"])
    if item["do"] == "garbage":
        print("no JSON at all", flush=True)
        time.sleep(60)
    if item["do"] == "hang":
        open(home + "/hanging", "w").close()
        time.sleep(60)
    if item["do"] == "silence":
        sys.exit(0)
fault("start")
def encode(plan, name, indexes, seconds, codecs, first="init.mp4", kind=".m4s"):
    folder = option("--output") + "/" + name
    os.makedirs(folder, exist_ok=True)
    def write(file, content):
        with open(folder + "/" + file, "w") as out:
            out.write(content)
        return len(content)
    size = write(first, "init " + name)
    say(type="init", rendition=name, path=name + "/" + first, bytes=size, codecs=codecs)
    for index in indexes:
        size = write("%05d" % index + kind, "%s segment %d " % (name, index) * 50)
        num, den = seconds(index)
        iframe = dict() if codecs[:4] != "avc1" else dict(iframe_bytes=size // 2)
        say(type="segment", rendition=name, index=index, path=name + "/%05d" % index + kind,
            bytes=size, duration=dict(num=num, den=den), **iframe)
        say(type="progress", percent=50.0, frames=1, fps=1.0, speed=1.0, eta_s=1, bytes_read=1)
        fault("middle")
if command == "probe":
    print(json.dumps(dict(json.load(open(home + "/probe.json")), type="result")), flush=True)
elif command == "analyse":
    rungs = json.load(open(option("--plan")))["video"]["renditions"]
    say(type="result", reliable=True, renditions=[dict(
        name=rung["name"], useful=True, crf=31, maxrate_bps=300000) for rung in rungs])
elif command == "thumbnail":
    for number, _ in enumerate(option("--times").split(",")):
        source = home + "/still.png"
        target = option("--output") + "/%02d.png" % number
        with open(source, "rb") as still, open(target, "wb") as out:
            out.write(still.read())
    if "--storyboard" in options and not os.path.exists(home + "/no-storyboard"):
        os.mkdir(option("--output") + "/storyboard")
        for name in ("storyboard/00.jpg", "storyboard/01.jpg", "storyboard.vtt"):
            with open(option("--output") + "/" + name, "w") as out:
                out.write("this is " + name)
    say(type="result", bytes_read=100)
else:
    plan = json.load(open(option("--plan")))
    rate, frames = plan["frame_rate"], plan["segment_frames"]
    total = max(1, round(plan["duration_s"] * rate["num"] / rate["den"]))
    count = -(-total // frames)
    def seconds(index):
        mine = min(frames, total - index * frames)
        return mine * rate["den"], rate["num"]
    if option("--audio") is not None:
        track = plan["audio"][int(option("--audio"))]["name"]
        first = int(option("--from-segment") or 0)
        encode(plan, track, range(first, count), seconds, "mp4a.40.2")
    elif option("--subtitles") is not None:
        track = plan["subtitles"][int(option("--subtitles"))]["name"]
        encode(plan, track, range(count), seconds, "wvtt", "subtitles.vtt", ".vtt")
    else:
        chunk, per_chunk = int(option("--chunk")), plan["chunk_segments"]
        last = chunk == plan["chunk_count"] - 1
        end = plan["head_segments"] + chunk * per_chunk
        indexes = range(max(0, end - per_chunk) if chunk else 0, count if last else end)
        for rendition in plan["video"]["renditions"]:
            encode(plan, rendition["name"], indexes, seconds, "avc1.64001f")
    say(type="result", bytes_read=1234)
fault("end")
"""


@dataclass
class FakeEngine:
    """Where it lives, and what it is told."""

    home: Path

    @classmethod
    def made(cls, home: Path, still: Path) -> FakeEngine:
        engine = cls(home)
        engine.path.write_text(PROGRAM.format(python=sys.executable, home=str(home)))
        engine.path.chmod(0o755)
        shutil.copy(still, home / "still.png")
        engine.source()
        return engine

    @property
    def path(self) -> Path:
        return self.home / "engine"

    def source(self, **changes: Any) -> None:
        """What `probe` finds from now on; see `probe_result`."""
        (self.home / "probe.json").write_text(json.dumps(probe_result(**changes)))

    def audio_tracks(self) -> list[str]:
        """The names of the audio renditions that a complete video of this source has."""
        source = json.loads((self.home / "probe.json").read_text())
        return [f"audio-{index}" for index, _ in enumerate(source["audio"])]

    def subtitle_tracks(self) -> list[str]:
        source = json.loads((self.home / "probe.json").read_text())
        return [f"subtitles-{index}" for index, _ in enumerate(source["subtitles"])]

    def fails(
        self,
        label: str,
        *,
        do: str = "error",
        times: int = 1,
        moment: str = "start",
        code: str = "CORRUPT",
        exit_code: int = 3,
        message: str = "The file is damaged.",
    ) -> None:
        """Fail the next `times` runs of e.g. `transcode-chunk-1` at a moment."""
        path = self.home / "faults.json"
        faults = json.loads(path.read_text()) if path.exists() else []
        fault = {"label": label, "do": do, "times": times, "moment": moment}
        faults.append({**fault, "code": code, "exit": exit_code, "message": message})
        path.write_text(json.dumps(faults))

    def calls(self) -> list[str]:
        return [call[0] for call in self._calls()]

    def arguments(self, label: str) -> list[str]:
        """The arguments of the last run."""
        return next(call[1] for call in reversed(self._calls()) if call[0] == label)

    def environment(self, label: str) -> list[str]:
        """Names of the environment variables of the last run."""
        return next(call[2] for call in reversed(self._calls()) if call[0] == label)

    def _calls(self) -> list[Any]:
        path = self.home / "calls"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def probe_result(
    *,
    duration_s: float = 14.0,
    width: int = 320,
    height: int = 180,
    audio: int = 1,
    subtitles: int = 0,
    frame_rate: tuple[int, int] = (25, 1),
    seekable: bool = True,
    **video: Any,
) -> dict[str, Any]:
    """A source as the engine describes it: by default 14 s of 320×180 with one audio track, so
    four segments in two chunks of one rendition."""
    rate = {"num": frame_rate[0], "den": frame_rate[1]}
    return {
        "format": {
            "container": "mp4",
            "name": "mov,mp4,m4a,3gp,3g2,mj2",
            "duration_s": duration_s,
            "start_s": 0.0,
            "bytes": 6,
            "bitrate_bps": 1_000_000,
            "seekable_exactly": seekable,
            "bytes_read": 6,
        },
        "video": [
            {
                "stream": 0,
                "codec": "h264",
                "profile": "High",
                "width": width,
                "height": height,
                "sar": {"num": 1, "den": 1},
                "rotation": 0,
                "display_width": width,
                "display_height": height,
                "frame_rate": rate,
                "avg_frame_rate": rate,
                "variable_frame_rate": False,
                "duration_s": duration_s,
                "attached_picture": False,
                **video,
            }
        ],
        "audio": [
            {
                "stream": 1 + index,
                "codec": "aac",
                "channels": 2,
                "channel_layout": "stereo",
                "sample_rate_hz": 48000,
                "language": "und",
                "duration_s": duration_s,
            }
            for index in range(audio)
        ],
        "subtitles": [
            {
                "stream": 1 + audio + index,
                "codec": "subrip",
                "language": "eng",
                "text": True,
                "default": index == 0,
                "forced": False,
            }
            for index in range(subtitles)
        ],
        "warnings": [],
    }
