"""The libraries that the engine is linked with, asked themselves: versions, what they decode."""

from __future__ import annotations

import ctypes
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

_OURS = re.compile(
    r"lib(av(?:format|codec|filter|util)|swscale|swresample|x264|x265|zimg|SvtAv1Enc)"
)
_ASKED = ("avformat", "avcodec", "avfilter", "avutil", "swscale", "swresample")
"""Those that have a function of their name that tells their version."""
DECODERS = (
    *("h264", "hevc", "av1", "vp8", "vp9", "mpeg1video", "mpeg2video", "mpeg4", "mjpeg", "prores"),
    *("theora", "wmv2", "h263", "flv1", "ffv1", "aac", "mp3", "mp2", "ac3", "eac3", "opus"),
    *("vorbis", "flac", "alac", "wmav2"),
)
"""libav's names of the formats that people have."""


def linked(program: str) -> dict[str, Path]:
    """Files of the libraries by their names without lib; empty where none can be told (a static
    program, a system without ldd)."""
    try:
        done = subprocess.run(
            ["ldd", program], capture_output=True, text=True, check=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return {}
    files = re.findall(r"=> (\S+) \(", done.stdout)
    named = {match[1]: Path(file) for file in files if (match := _OURS.match(Path(file).name))}
    return dict(sorted(named.items()))


def versions(found: dict[str, Path]) -> dict[str, str]:
    """What each says of itself; else the number of its interface, which its file's name has."""
    return {name: _version(name, file) for name, file in found.items()}


def _version(name: str, file: Path) -> str:
    if name in _ASKED:
        number: int = getattr(ctypes.CDLL(str(file)), f"{name}_version")()
        return f"{number >> 16}.{number >> 8 & 255}.{number & 255}"
    return file.name.partition(".so.")[2]


def decoders(found: dict[str, Path]) -> set[str]:
    """Of `DECODERS`, those that are there."""
    library = ctypes.CDLL(str(found["avcodec"]))
    library.avcodec_descriptor_get_by_name.restype = ctypes.c_void_p
    library.avcodec_find_decoder.restype = ctypes.c_void_p
    return set(_decoded(library))


def _decoded(library: ctypes.CDLL) -> Iterator[str]:
    for name in DECODERS:
        descriptor = library.avcodec_descriptor_get_by_name(name.encode())
        if descriptor and library.avcodec_find_decoder(ctypes.c_int.from_address(descriptor)):
            yield name
