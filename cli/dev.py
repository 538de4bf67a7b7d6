"""`./millrace dev`: functions and pages follow this checkout, as it is edited."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
from watchfiles import watch

from cli import aws
from cli.console import console, escape, fail
from cli.deploy import Outputs, deployed_outputs
from cli.deploy_site import publish_site
from cli.images import (
    ARCHIVE_FUNCTIONS,
    ENGINE,
    IMAGE_FUNCTIONS,
    checkout_map,
    image_map,
    write_image_map,
)
from cli.signals import stop_signal
from cli.state import REPOSITORY, Running, State

FUNCTIONS = (*IMAGE_FUNCTIONS, *ARCHIVE_FUNCTIONS)
DEBUGGED_TIMEOUT_S = 900
"""Lambda's longest: somebody thinks meanwhile."""
_WATCHED = ("app.py", "functions", "layers/core/python", "frontend", "engine/src", "engine/include")


@dataclass(frozen=True, slots=True)
class Change:
    """What has to be done anew."""

    functions: frozenset[str] = frozenset()
    pages: bool = False
    engine: bool = False

    @classmethod
    def of(cls, paths: Iterable[str]) -> Change:
        """Of changed files, relative to the checkout."""
        functions: set[str] = set()
        pages = engine = False
        for path in paths:
            top, _, rest = path.partition("/")
            if top == "functions":
                functions |= {rest.partition("/")[0]} & set(FUNCTIONS)
            elif top == "layers":
                functions |= set(FUNCTIONS)
            elif top == "app.py":
                functions.add("api")
            pages |= top == "frontend"
            engine |= top == "engine"
        return cls(frozenset(functions), pages, engine)


@dataclass(frozen=True, slots=True)
class Target:
    """The Millrace that runs."""

    state: State
    port: int
    outputs: Outputs

    def renew(self, functions: Iterable[str], **configuration: int) -> None:
        """New processes for these functions; those that are busy finish first.

        Args:
            configuration: more parameters of UpdateFunctionConfiguration.
        """
        client = aws.session(self.port).client("lambda")
        names = [f"millrace-{name}" for name in functions]
        for name in names:
            client.update_function_configuration(
                FunctionName=name,
                Description=f"as of {time.time():.3f}",  # any change makes a new version
                **configuration,
            )
        updated = client.get_waiter("function_updated_v2")
        for name in names:
            updated.wait(FunctionName=name, WaiterConfig={"Delay": 1})

    def timeout_s(self, function: str) -> int:
        client = aws.session(self.port).client("lambda")
        found = client.get_function_configuration(FunctionName=f"millrace-{function}")
        return int(found["Timeout"])

    def publish_pages(self) -> None:
        outputs = self.outputs
        addresses = {"apiUrl": outputs.api_url, "signalUrl": outputs.signal_url}
        s3 = aws.session(self.port).client("s3")
        publish_site(s3, outputs.site_bucket, REPOSITORY / "frontend", addresses)


@click.command()
@click.option("--debug", "debugged", type=click.Choice(FUNCTIONS), help="Run it under a debugger.")
@click.option(
    "--debug-port",
    default=5678,
    show_default=True,
    type=click.IntRange(1, 65535),
    help="Where the debugger listens (debugpy).",
)
@click.pass_obj
def dev(state: State, /, debugged: str | None, debug_port: int) -> None:
    """Run functions and pages from this checkout and follow its changes, until Ctrl-C.

    Starts what ./millrace up starts, unless it runs already.
    """
    with stop_signal() as stop, _running(state, stop) as running:
        outputs = deployed_outputs(state.root)
        if outputs is None:
            fail("nothing is deployed: start ./millrace up once")
        target = Target(state, running.port, outputs)
        with _from_checkout(target, debugged, debug_port):
            _follow(target, stop)


@contextmanager
def _running(state: State, stop: threading.Event) -> Iterator[Running]:
    """What runs, or one that is started now and stopped at the end."""
    if running := state.running():
        yield running
        return
    command = [sys.executable, "-P", "-m", "cli", "--state-dir", str(state.root), "up"]
    # A session of its own: Ctrl-C is for us first, who put things back while it still runs.
    process = subprocess.Popen(command, cwd=REPOSITORY, start_new_session=True)
    try:
        while (running := state.running()) is None:
            if process.poll() is not None or stop.wait(0.2):
                fail("./millrace up did not start")
        yield running
    finally:
        process.terminate()
        process.wait()


@contextmanager
def _from_checkout(target: Target, debugged: str | None, debug_port: int) -> Iterator[None]:
    python = Path(sys.executable)
    write_image_map(target.state.images_file, checkout_map(python, debugged, debug_port))
    try:
        with _long(target, debugged):
            target.renew(name for name in FUNCTIONS if name != debugged)
            if debugged:
                where = f"127.0.0.1:{debug_port}"
                console.print(f"[good]✓[/] {debugged} has a debugger at {where} once it is called")
            console.print("[good]✓[/] following this checkout [faint]until Ctrl-C[/]")
            yield
    finally:
        write_image_map(target.state.images_file, image_map(python))
        if target.state.running():
            target.renew(FUNCTIONS)


@contextmanager
def _long(target: Target, debugged: str | None) -> Iterator[None]:
    """A function under a debugger has time: somebody thinks."""
    if debugged is None:
        yield
        return
    usual_s = target.timeout_s(debugged)
    target.renew([debugged], Timeout=DEBUGGED_TIMEOUT_S)
    try:
        yield
    finally:
        if target.state.running():
            target.renew([debugged], Timeout=usual_s)


def _follow(target: Target, stop: threading.Event) -> None:
    paths = [REPOSITORY / name for name in _WATCHED]
    for found in watch(*paths, stop_event=stop, rust_timeout=1000, yield_on_timeout=True):
        if target.state.running() is None:
            fail("./millrace up has ended")
        names = {Path(path).relative_to(REPOSITORY).as_posix() for _, path in found}
        if names:
            _bring(target, Change.of(names))


def _bring(target: Target, change: Change) -> None:
    """Does what a change needs; what goes wrong is told, and the next change is awaited."""
    if change.engine:
        _build_engine()
    if change.functions:
        target.renew(sorted(change.functions))
        many = len(change.functions) == len(FUNCTIONS)
        which = "all functions" if many else ", ".join(sorted(change.functions))
        console.print(f"[good]✓[/] {which} [faint]new from the next event on[/]")
    if change.pages:
        target.publish_pages()
        console.print("[good]✓[/] pages published")


def _build_engine() -> None:
    with console.status("building the engine"):
        command = ["cmake", "--build", str(ENGINE.parent)]
        built = subprocess.run(command, capture_output=True, text=True, check=False)
    if built.returncode:
        console.print(f"[bad]✗[/] the engine does not build\n{escape(built.stdout[-4000:])}")
    else:
        console.print("[good]✓[/] engine built [faint]used from the next task on[/]")
