"""Sources for the measurements: real pictures, 1080p30, 30 Mb/s mezzanines, kept in build/bench.

The clips are smaller than that and of other rates. They are scaled up (Lanczos), and every picture
is shown for 1/30 s instead of repeating some: repeated pictures would cost an encoder nothing.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from bench.tools import CACHE, CLIPS, made_once

RATE = 30
SIZE = (1920, 1080)
FRAMES = 60 * RATE


@dataclass(frozen=True, slots=True)
class Section:
    """`frames` pictures of a clip from number `first` on."""

    name: str
    file: str
    first: int
    frames: int

    def chain(self, number: int) -> str:
        width, height = SIZE
        trim = f"trim=start_frame={self.first}:end_frame={self.first + self.frames}"
        shape = f"scale={width}:{height}:flags=lanczos,setsar=1,format=yuv420p"
        return f"[{number}:v]setpts=N/{RATE}/TB,{trim},setpts=PTS-STARTPTS,{shape}[v{number}]"


# Sixty seconds: animation, a film with cuts and dark scenes, a traffic camera, hand-held streets.
MIXED = (
    Section("animation", "bigbuckbunny.mp4", 0, 132),
    Section("hand-held", "cityCC0.mpg", 0, 190),
    Section("traffic", "car-detection.mp4", 0, 377),
    Section("film", "sintel_trailer-720p.mp4", 100, 1101),
)


def mezzanine(name: str, sections: tuple[Section, ...]) -> Path:
    """The sections one after the other, with the film's sound under them."""
    inputs = [word for section in sections for word in ("-i", str(CLIPS / section.file))]
    chains = [section.chain(number) for number, section in enumerate(sections)]
    joined = "".join(f"[v{number}]" for number in range(len(sections)))
    chains.append(f"{joined}concat=n={len(sections)}:v=1:a=0,fps={RATE}[video]")
    seconds = sum(section.frames for section in sections) / RATE
    sound = ("-stream_loop", "-1", "-i", str(CLIPS / "sintel_trailer-720p.mp4"))
    return made_once(
        CACHE / f"{name}.mp4",
        *("ffmpeg", "-nostdin", "-v", "error", "-y", *inputs, *sound),
        *("-filter_complex", ";".join(chains), "-map", "[video]"),
        *("-map", f"{len(sections)}:a:0", "-t", f"{seconds:.6f}"),
        *("-c:v", "libx264", "-preset", "veryfast", "-b:v", "30M", "-g", "60"),
        *("-c:a", "aac", "-b:a", "192k", "-ar", "48000"),
    )


def mixed() -> Path:
    """Sixty seconds of all kinds."""
    return mezzanine("mixed-1080p30", MIXED)


def section(wanted: Section) -> Path:
    return mezzanine(f"{wanted.name}-1080p30", (wanted,))


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the measurements' source; print its path.")
    parser.add_argument("--section", choices=[one.name for one in MIXED], help="only this kind")
    chosen = parser.parse_args().section
    print(mixed() if chosen is None else section(next(s for s in MIXED if s.name == chosen)))


if __name__ == "__main__":
    main()
