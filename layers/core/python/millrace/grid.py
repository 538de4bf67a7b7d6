"""The segment grid of a video, and the chunks: runs of whole segments, one for each task.

Chunk 0, the head, is short: who waits for a video to become playable waits for it alone, however
long the video is.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil

SEGMENT_S = 4
HEAD_SEGMENTS = 1
_MOST_SEGMENTS = 10_800
"""Of a track: 12 hours of 4 s."""
_MOST_IN_A_TASK = 4 * _MOST_SEGMENTS
_LEAST_AFTER_HEAD = 4
"""Segments; a shorter video is made whole about as soon as its head would be."""


@dataclass(frozen=True, slots=True)
class Grid:
    """How a video is cut."""

    segment_frames: int
    chunk_segments: int
    head_segments: int
    """Of chunk 0, which makes the video playable; all others have `chunk_segments`."""
    chunk_count: int

    def first_segment(self, chunk: int) -> int:
        """Index of a chunk's first segment."""
        return self.head_segments + (chunk - 1) * self.chunk_segments if chunk else 0

    def segments_of(self, chunk: int) -> int | None:
        """How many segments a chunk has; None of the last one, which has what is left."""
        if chunk == self.chunk_count - 1:
            return None
        return self.first_segment(chunk + 1) - self.first_segment(chunk)


def least_segment_s(duration_s: float, at_once: int) -> int:
    """What keeps the outputs of tasks (`outputs`) below what a table item takes.

    Args:
        at_once: tracks that one task makes over the whole length.
    """
    return max(ceil(duration_s / _MOST_SEGMENTS), ceil(duration_s * at_once / _MOST_IN_A_TASK))


def cut(
    rate: Fraction, duration_s: float, segment_s: int, chunk_segments: int, head_segments: int
) -> Grid:
    """Segments of `segment_s` in chunks that last about as long as `chunk_segments` of `SEGMENT_S`,
    the first one as `head_segments` of them, or as all others where 0 or where little follows."""
    per_chunk = max(1, round(Fraction(chunk_segments * SEGMENT_S, segment_s)))
    head = max(1, round(Fraction(head_segments * SEGMENT_S, segment_s)))
    segment_frames = max(1, round(segment_s * rate))
    segments = -(-max(1, round(duration_s * rate)) // segment_frames)
    if not head_segments or head > per_chunk or segments < head + _LEAST_AFTER_HEAD:
        head = per_chunk
    return Grid(segment_frames, per_chunk, head, 1 + max(0, -(-(segments - head) // per_chunk)))
