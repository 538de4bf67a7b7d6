"""API Gateway's limit of a frame. aiohttp, like other well-kept libraries, shows whole messages
only: the frames' headers are read here (RFC 6455, section 5.2), on their way into its parser."""

from __future__ import annotations

from typing import Any

from aiohttp import WebSocketError, WSCloseCode, web

MAX_FRAME_BYTES = 32 * 1024
_MASKED = 0x80
_MASK_BYTES = 4
_LENGTH_BYTES = {126: 2, 127: 8}
"""Of the longer length that follows, by what stands in place of the length."""


class Frames:
    """Measures the frames of a stream, whatever pieces it comes in."""

    def __init__(self) -> None:
        self._header = bytearray()
        self._left = 0
        """Bytes until the next frame begins."""

    def admit(self, data: bytes) -> int:
        """How many of the next bytes belong to frames that keep the limit: all of them, or those
        before the frame that does not."""
        at = begin = 0
        while at < len(data):
            if self._left:
                skipped = min(self._left, len(data) - at)
                self._left -= skipped
                begin = at = at + skipped
                continue
            self._header.append(data[at])
            at += 1
            length = _payload_bytes(self._header)
            if length is None:
                continue
            if length > MAX_FRAME_BYTES:
                return begin
            self._left = length + (_MASK_BYTES if self._header[1] & _MASKED else 0)
            self._header.clear()
            begin = at
        return at


def _payload_bytes(header: bytearray) -> int | None:
    """What a header announces; None: there is not enough of it yet."""
    if len(header) < 2:
        return None
    short = header[1] & ~_MASKED
    end = 2 + _LENGTH_BYTES.get(short, 0)
    if len(header) < end:
        return None
    return int.from_bytes(header[2:end]) if end > 2 else short


class _LimitedParser:
    """aiohttp's parser, fed up to the first frame that is too long."""

    def __init__(self, parser: Any, queue: Any) -> None:
        self._parser = parser
        self._queue = queue
        self._frames = Frames()

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """As aiohttp's: whether the stream is over, and what is left of the data."""
        admitted = self._frames.admit(data)
        answer: tuple[bool, bytes] = self._parser.feed_data(data[:admitted])
        if admitted == len(data):
            return answer
        text = f"A frame has at most {MAX_FRAME_BYTES} bytes"
        self._queue.set_exception(WebSocketError(WSCloseCode.MESSAGE_TOO_BIG, text))
        return True, b""

    def feed_eof(self) -> None:
        self._parser.feed_eof()


class LimitedWebSocket(web.WebSocketResponse):
    """A WebSocket that is closed with 1009 when a longer frame begins."""

    def _post_start(self, request: Any, protocol: Any, writer: Any) -> None:
        # aiohttp has no public place for this; the pinned version's is held by the contract test.
        super()._post_start(request, protocol, writer)
        request.protocol._payload_parser = _LimitedParser(self._parser, self._reader)
