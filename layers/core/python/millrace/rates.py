"""Bit rates of a track as manifests state them, measured from what was made.

Section numbers are those of RFC 8216.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import ceil, floor

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
    shortest, longest = Fraction(target_s, 2), Fraction(3 * target_s, 2)
    peak = Fraction(0)
    for start in range(len(track.segments)):
        size_bits, duration_s = 0, Fraction(0)
        for segment in track.segments[start:]:
            size_bits += 8 * segment.size_bytes
            duration_s += segment.duration_s
            if duration_s > longest:
                break
            if duration_s >= shortest:
                peak = max(peak, size_bits / duration_s)
    return ceil(peak) if peak else average_bps(track)


def average_bps(track: Track) -> int:
    """Over the whole track; 0 for one without segments."""
    bits = 8 * sum(segment.size_bytes for segment in track.segments)
    return ceil(bits / track.duration_s) if track.duration_s else 0
