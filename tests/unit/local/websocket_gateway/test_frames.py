"""Frames measured in a stream that is cut anywhere."""

from __future__ import annotations

import pytest

from local.websocket_gateway.frames import MAX_FRAME_BYTES, Frames


def _frame(size: int, *, masked: bool = True) -> bytes:
    """As a browser sends it, with the shortest length there is."""
    mask = bytes(4 if masked else 0)
    bit = 0x80 if masked else 0
    if size < 126:
        length = bytes([bit | size])
    elif size < 2**16:
        length = bytes([bit | 126]) + size.to_bytes(2)
    else:
        length = bytes([bit | 127]) + size.to_bytes(8)
    return b"\x81" + length + mask + b"\xff" * size


GOOD = _frame(0) + _frame(125) + _frame(126, masked=False) + _frame(MAX_FRAME_BYTES) + _frame(1)


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 1000, len(GOOD)])
def test_all_is_admitted_when_every_frame_keeps_the_limit_however_it_is_cut(piece: int) -> None:
    frames = Frames()
    pieces = [GOOD[at : at + piece] for at in range(0, len(GOOD), piece)]
    assert [frames.admit(one) for one in pieces] == [len(one) for one in pieces]


@pytest.mark.parametrize("size", [MAX_FRAME_BYTES + 1, 2**16, 2**62])
def test_what_comes_before_is_admitted_when_a_frame_is_too_long(size: int) -> None:
    header = _frame(0)[:1] + (
        bytes([0xFE]) + size.to_bytes(2) if size < 2**16 else bytes([0xFF]) + size.to_bytes(8)
    )
    assert Frames().admit(GOOD + header) == len(GOOD)
    cut = Frames()
    assert cut.admit(GOOD + header[:2]) == len(GOOD) + 2
    assert cut.admit(header[2:]) == 0
