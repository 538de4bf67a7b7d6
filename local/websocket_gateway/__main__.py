"""`python -m local.websocket_gateway`: serve the WebSocket API of a template until SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
from pathlib import Path

from aiohttp import web

from local.server_child import die_with_parent
from local.websocket_gateway import template
from local.websocket_gateway.gateway import Gateway, Limits
from local.websocket_gateway.invoker import LambdaInvoker


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--template", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--listen", default="127.0.0.1", help="address")
    parser.add_argument("--lambda-url", required=True, help="endpoint of Lambda")
    parser.add_argument("--idle-s", type=float, default=Limits().idle_s)
    parser.add_argument("--life-s", type=float, default=Limits().life_s)
    parser.add_argument("--parent", type=int, help="process to die with")
    arguments = parser.parse_args()
    if arguments.parent is not None:
        die_with_parent(arguments.parent)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level="INFO")
    asyncio.run(_serve(arguments))


async def _serve(arguments: argparse.Namespace) -> None:
    invoke = LambdaInvoker(arguments.lambda_url)
    limits = Limits(arguments.idle_s, arguments.life_s)
    gateway = Gateway(template.read(arguments.template), invoke, limits)
    runner = web.AppRunner(gateway.application(), access_log=None, shutdown_timeout=2)
    await runner.setup()
    await web.TCPSite(runner, arguments.listen, arguments.port, backlog=1024).start()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await stopped.wait()
    await runner.cleanup()
    await invoke.close()


if __name__ == "__main__":
    main()
