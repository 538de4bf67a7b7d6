"""Bit rates of a track as manifests state them, measured from what was made.

Section numbers are those of RFC 8216.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import floor, lcm

from millrace.outputs import Track
from millrace.plan import Plan

_AAC_FRAME_SAMPLES = 1024


def target_duration_s(plan: Plan, tracks: Iterable[Track]) -> int:
    """EXT-X-TARGETDURATION: no segment's duration, rounded, may exceed it (4.3.3.1), and it must
    not change while the playlist grows (6.2.1). So it follows from the plan: the grid, and for
    audio up to one frame more. A longer segment, which the plan rules out, would raise it."""
    longest = plan.segment_s
    for track in plan.audio:
        longest = max(longest, plan.segment_s + Fraction(_AAC_FRAME_SAMPLES, track.sample_rate_hz))
    measured = [segment.duration_s for track in tracks for segment in track.segments]
    return max(1, floor(max([longest, *measured]) + Fraction(1, 2)))


def peak_bps(track: Track, target_s: int) -> int:
    """4.1: the peak segment bit rate, the largest of any contiguous set of segments that lasts
    between half and one and a half target durations. A rest shorter than that (one key frame in
    1/24 s) says nothing about the bandwidth needed, except where it is all there is."""
    ticks_per_s, ticks = _ticks(track)
    sizes = [segment.size_bytes for segment in track.segments]
    shortest, longest = target_s * ticks_per_s, 3 * target_s * ticks_per_s
    peak = 0
    for start in range(len(sizes)):
        run_bytes = run_ticks = 0
        for end in range(start, len(sizes)):
            run_bytes += sizes[end]
            run_ticks += ticks[end]
            if 2 * run_ticks > longest:
                break
            if 2 * run_ticks >= shortest:
                peak = max(peak, _bps(run_bytes, run_ticks, ticks_per_s))
    return peak or average_bps(track)


def average_bps(track: Track) -> int:
    """Over the whole track; 0 for one without segments."""
    ticks_per_s, ticks = _ticks(track)
    size_bytes = sum(segment.size_bytes for segment in track.segments)
    return _bps(size_bytes, sum(ticks), ticks_per_s) if ticks else 0


def _ticks(track: Track) -> tuple[int, list[int]]:
    """Ticks per second, and the durations in them: whole numbers, because tens of thousands of
    fractions take seconds to add up."""
    durations = [segment.duration_s for segment in track.segments]
    ticks_per_s = lcm(*{duration.denominator for duration in durations})
    return ticks_per_s, [
        duration.numerator * (ticks_per_s // duration.denominator) for duration in durations
    ]


def _bps(size_bytes: int, ticks: int, ticks_per_s: int) -> int:
    """Bits per second, rounded up."""
    return -(-8 * size_bytes * ticks_per_s // ticks)
