"""The commands that look at, stop or wipe what `./millrace up` started."""

from __future__ import annotations

import json
import shutil
import urllib.error
import urllib.request
from typing import Any

import click
import psutil
from rich.table import Table

from cli.console import console, fail
from cli.state import State

STOP_GRACE_S = 25


@click.command()
@click.pass_obj
def down(state: State) -> None:
    """Stop the Millrace that runs on this state directory; videos and jobs stay."""
    console.print("[good]✓[/] stopped" if _stop(state) else "nothing is running here")


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def reset(state: State, yes: bool) -> None:
    """Stop, and delete every video, job, queue and token."""
    if not yes:
        click.confirm(f"Delete every video and all state in {state.root}?", abort=True)
    _stop(state)
    shutil.rmtree(state.root, ignore_errors=True)
    console.print("[good]✓[/] everything is gone")


def _stop(state: State) -> bool:
    running = state.running()
    if running is None:
        return False
    process = psutil.Process(running.pid)
    process.terminate()
    try:
        process.wait(STOP_GRACE_S)
    except psutil.TimeoutExpired:
        # LocalStack and the functions die with it (PR_SET_PDEATHSIG); their state is crash-safe.
        process.kill()
        process.wait(STOP_GRACE_S)
    state.retract()
    return True


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Machine-readable, on standard output.")
@click.pass_obj
def status(state: State, as_json: bool) -> None:
    """Say what runs and what is queued. Exit code 3 when nothing runs."""
    running = state.running()
    if running is None:
        fail("not running; start it with ./millrace up", 3)
    queues = _queues(running.port)
    videos = _get(f"{running.api_url}/videos?limit=100")["videos"]
    if as_json:
        answer = {
            "gallery": running.gallery_url,
            "calls": running.chat_url,
            "api": running.api_url,
        }
        click.echo(json.dumps({**answer, "queues": queues, "videos": videos}))
        return
    console.print(f"[good]●[/] running   gallery [link]{running.gallery_url}[/]")
    console.print(f"           calls [link]{running.chat_url}[/]")
    console.print(f"             API [link]{running.api_url}[/]")
    _print_counts(videos)
    _print_queues(queues)


def _print_counts(videos: list[dict[str, Any]]) -> None:
    counts: dict[str, int] = {}
    for video in videos:
        counts[video["status"]] = counts.get(video["status"], 0) + 1
    text = ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "none yet"
    console.print(f"  videos (newest 100): {text}")


def _print_queues(queues: dict[str, dict[str, int]]) -> None:
    table = Table("queue", "waiting", "in flight", box=None, header_style="faint", pad_edge=False)
    for name, depth in sorted(queues.items()):
        style = "bad" if "dlq" in name and depth["waiting"] else ""
        table.add_row(name, str(depth["waiting"]), str(depth["in_flight"]), style=style)
    console.print(table)


def _queues(port: int) -> dict[str, dict[str, int]]:
    from cli.aws import session

    client = session(port).client("sqs")
    depths = {}
    for page in client.get_paginator("list_queues").paginate(QueueNamePrefix="millrace-"):
        for url in page.get("QueueUrls", []):
            attributes = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
            values = attributes["Attributes"]
            depths[url.rsplit("/", 1)[1]] = {
                "waiting": int(values["ApproximateNumberOfMessages"]),
                "in_flight": int(values["ApproximateNumberOfMessagesNotVisible"]),
            }
    return depths


def _get(url: str) -> Any:
    try:
        with urllib.request.urlopen(url, timeout=30) as response:  # noqa: S310 - our own API
            return json.load(response)
    except urllib.error.URLError as error:
        fail(f"the API does not answer ({error}); ./millrace logs localstack may tell why")


@click.command()
@click.option(
    "--role",
    type=click.Choice(["admin", "uploader", "metrics"]),
    help="Make a new token of this role.",
)
@click.option("--name", default="command line", help="What the token is for.")
@click.pass_obj
def token(state: State, role: str | None, name: str) -> None:
    """Print the first token, or make another (needs a running Millrace)."""
    if role is None:
        if not state.token_file.exists():
            fail("there is no token yet; ./millrace up makes one")
        click.echo(state.token_file.read_text().strip())
        return
    running = state.running()
    if running is None:
        fail("not running; start it with ./millrace up", 3)
    from cli.aws import new_token

    click.echo(new_token(running.port, name, [role]))
