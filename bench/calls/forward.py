"""Passes connections on: `python -m bench.calls.forward tcp:8080 unix:/tmp/x.sock`."""

from __future__ import annotations

import asyncio
import contextlib
import sys


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def serve(listen: str, target: str) -> None:
    """Both are `tcp:PORT` of 127.0.0.1 or `unix:PATH`."""

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        kind, _, where = target.partition(":")
        try:
            if kind == "tcp":
                other = await asyncio.open_connection("127.0.0.1", int(where))
            else:
                other = await asyncio.open_unix_connection(where)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_pump(reader, other[1]), _pump(other[0], writer))

    kind, _, where = listen.partition(":")
    if kind == "tcp":
        server = await asyncio.start_server(accept, "127.0.0.1", int(where))
    else:
        server = await asyncio.start_unix_server(accept, where)
    print("listening", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(*sys.argv[1:]))
