"""`./millrace up`: the whole pipeline in the foreground, until Ctrl-C."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click
import psutil

from cdk.settings import ContextError
from cli import aws, turn
from cli.activity import Activity
from cli.calls import Kept
from cli.console import console, escape, fail
from cli.deploy import (
    ON_ONE_MACHINE,
    DeployConfig,
    DeployError,
    Outputs,
    deploy,
    template_file,
)
from cli.images import image_map, write_image_map
from cli.monitoring import prepare_monitoring
from cli.signals import stop_signal
from cli.state import REPOSITORY, Running, State
from cli.turn import TurnConfig
from local import server
from local.websocket_gateway import launcher

RESTART_PAUSE_S = 1.0
CRASHES_ALLOWED = 5
CRASH_WINDOW_S = 300.0
_RECOVERIES = 3
_LEAST_PROCESSES, _PROCESSES_PER_CORE = 6, 2
_Command = Callable[..., None]


def _concurrency_options(command: _Command) -> _Command:
    """`--probe-concurrency` and the like, one for each function that a queue feeds."""
    for name, usual in reversed(tuple(ON_ONE_MACHINE.items())):
        variable = f"MILLRACE_{name.upper()}_CONCURRENCY"
        command = click.option(
            f"--{name}-concurrency",
            envvar=variable,
            default=usual,
            show_default=True,
            type=click.IntRange(2, 1000),
            help=f"Invocations of {name} at once ({variable}).",
        )(command)
    return command


@click.command()
@click.option(
    "--port",
    envvar="MILLRACE_PORT",
    default=4566,
    show_default=True,
    help="Port of everything: pages, API, S3 (MILLRACE_PORT).",
)
@click.option(
    "--listen",
    envvar="MILLRACE_LISTEN",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on; other ones let others in (MILLRACE_LISTEN).",
)
@click.option(
    "--monitoring",
    envvar="MILLRACE_MONITORING",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder to put what Prometheus needs into (MILLRACE_MONITORING).",
)
@click.option(
    "--signal-port",
    envvar="MILLRACE_SIGNAL_PORT",
    type=click.IntRange(1, 65535),
    help="Port of the calls' WebSockets; the one after --port (MILLRACE_SIGNAL_PORT).",
)
@click.option(
    "--turn",
    "with_relay",
    envvar="MILLRACE_TURN",
    is_flag=True,
    help="Start a TURN relay (coturn) for calls (MILLRACE_TURN).",
)
@click.option(
    "--turn-address",
    envvar="MILLRACE_TURN_ADDRESS",
    default="127.0.0.1",
    show_default=True,
    help="Address that the relay listens on and relays from (MILLRACE_TURN_ADDRESS).",
)
@click.option(
    "--turn-port",
    envvar="MILLRACE_TURN_PORT",
    default=3478,
    show_default=True,
    type=click.IntRange(1, 65535),
    help="Port of the relay (MILLRACE_TURN_PORT).",
)
@click.option(
    "--stun-urls",
    envvar="MILLRACE_STUN_URLS",
    default="none",
    show_default=True,
    help="STUN servers that callers are told of, e.g. stun:192.168.1.10:3478 (MILLRACE_STUN_URLS).",
)
@_concurrency_options
@click.option(
    "--chunk-segments",
    envvar="MILLRACE_CHUNK_SEGMENTS",
    default=8,
    show_default=True,
    type=click.IntRange(1, 150),
    help="Segments of 4 s in one transcode task (MILLRACE_CHUNK_SEGMENTS).",
)
@click.option(
    "--head-segments",
    envvar="MILLRACE_HEAD_SEGMENTS",
    default=1,
    show_default=True,
    type=click.IntRange(0, 150),
    help="Those in a video's first task; 0: as in the others (MILLRACE_HEAD_SEGMENTS).",
)
@click.option(
    "--webhook-networks",
    envvar="MILLRACE_WEBHOOK_NETWORKS",
    default="public",
    show_default=True,
    help="Where webhooks may lead, e.g. public,127.0.0.0/8 (MILLRACE_WEBHOOK_NETWORKS).",
)
@click.option(
    "--webhook-plain-http",
    envvar="MILLRACE_WEBHOOK_PLAIN_HTTP",
    is_flag=True,
    help="Allow webhooks with http:// addresses (MILLRACE_WEBHOOK_PLAIN_HTTP).",
)
@click.option(
    "--sandbox",
    envvar="MILLRACE_SANDBOX",
    default="try",
    show_default=True,
    type=click.Choice(("try", "require")),
    help="Whether the engine works where the kernel lacks a wall around it (MILLRACE_SANDBOX).",
)
@click.pass_obj
def up(
    state: State,
    /,
    port: int,
    listen: str,
    monitoring: Path | None,
    signal_port: int | None,
    with_relay: bool,
    turn_address: str,
    turn_port: int,
    stun_urls: str,
    chunk_segments: int,
    head_segments: int,
    webhook_networks: str,
    webhook_plain_http: bool,
    sandbox: str,
    **concurrency: int,
) -> None:
    """Start LocalStack, deploy, and stay in the foreground until Ctrl-C."""
    running = state.running()
    if running is not None:
        fail(f"already running (process {running.pid}): {running.gallery_url}")
    relay = _relay_config(state, turn_address, turn_port) if with_relay else None
    cloud_config = replace(_cloud_config(state, port), listen=listen)
    config = _with_few_processes(cloud_config, max(concurrency.values()))
    deploy_config = DeployConfig(
        port=port,
        signal_port=signal_port or port + 1,
        state_dir=state.root,
        concurrency={name.removesuffix("_concurrency"): n for name, n in concurrency.items()},
        chunk_segments=chunk_segments,
        head_segments=head_segments,
        extra_settings={
            "webhook_networks": webhook_networks,
            "webhook_plain_http": str(webhook_plain_http).lower(),
            "sandbox": sandbox,
            "turn_urls": relay.urls if relay else "none",
            "stun_urls": stun_urls,
        },
    )
    try:
        deploy_config.settings()
    except ContextError as error:
        fail(str(error))
    with stop_signal() as stop:
        _serve(state, config, deploy_config, relay, monitoring, stop)
    console.print("[good]✓[/] stopped; videos and jobs are kept in " + _short(state.root))


def _with_few_processes(config: server.CloudConfig, most_at_once: int) -> server.CloudConfig:
    """The API has no queue before it: a hundred requests in the same second would start as many
    interpreters as are allowed, which takes longer than to answer them one after another."""
    most = max(_LEAST_PROCESSES, _PROCESSES_PER_CORE * (os.cpu_count() or 1), most_at_once)
    limit = {"MILLRACE_LOCAL_MAX_PROCESSES": str(most)}
    return replace(config, extra_environment={**limit, **config.extra_environment})


def _cloud_config(state: State, port: int) -> server.CloudConfig:
    state.root.mkdir(parents=True, exist_ok=True)
    write_image_map(state.images_file, image_map(Path(sys.executable)))
    return server.CloudConfig(
        port=port,
        state_dir=state.cloud,
        log_dir=state.logs,
        image_map=state.images_file,
        cloud_python=REPOSITORY / ".venv-cloud" / "bin" / "python",
        function_python=Path(sys.executable),
    )


def _serve(
    state: State,
    config: server.CloudConfig,
    deploy_config: DeployConfig,
    relay: TurnConfig | None,
    monitoring: Path | None,
    stop: threading.Event,
) -> None:
    """Run LocalStack until asked to stop, starting it again when it dies by itself."""
    crashes: list[float] = []
    calls_config = replace(_calls_config(state, deploy_config), listen=config.listen)
    while not stop.is_set():
        try:
            launcher.refuse_busy(calls_config)
            if relay:
                turn.refuse_impossible(relay)
            cloud = _start(config)
            helpers = _helpers(calls_config, relay)
            try:
                outputs = _deploy(deploy_config)
                for helper in helpers:
                    helper.start()
                if relay:
                    turn.share_secret(relay, config.port)
                if monitoring:
                    budget = deploy_config.settings().daily_budget_usd
                    prepare_monitoring(monitoring, outputs.api_url, config.port, budget)
                _announce(state, config, cloud, outputs)
                _follow(cloud, outputs, stop)
            finally:
                state.retract()
                for helper in helpers:
                    helper.stop()
                _shut_down(cloud, stop)
        except (server.CloudError, DeployError) as error:
            fail(str(error))
        if not stop.is_set():
            _count_crash(crashes, state)
            stop.wait(RESTART_PAUSE_S)


def _calls_config(state: State, config: DeployConfig) -> launcher.GatewayConfig:
    return launcher.GatewayConfig(
        template=template_file(config.state_dir),
        port=config.signal_port,
        lambda_url=aws.endpoint(config.port),
        log_file=state.logs / "websockets.log",
    )


def _relay_config(state: State, address: str, port: int) -> TurnConfig:
    log_file = state.logs / "turn.log"
    return TurnConfig(state_dir=state.root, log_file=log_file, address=address, port=port)


def _helpers(calls: launcher.GatewayConfig, relay: TurnConfig | None) -> list[Kept]:
    """What runs beside LocalStack."""
    found = [Kept("WebSocket gateway", lambda: launcher.start(calls))]
    if relay:
        found.append(Kept("TURN relay", lambda: turn.start(relay)))
    return found


def _start(config: server.CloudConfig) -> server.Cloud:
    with console.status("starting LocalStack"):
        started = time.monotonic()
        cloud = server.start(config)
        cloud.wait_ready()
    console.print(f"[good]✓[/] LocalStack [faint]{time.monotonic() - started:.1f}s[/]")
    return cloud


def _deploy(config: DeployConfig) -> Outputs:
    with console.status("deploying the CDK app") as status:
        started = time.monotonic()
        outputs = deploy(config, lambda text: status.update(f"deploying: {text}"))
    console.print(f"[good]✓[/] pipeline deployed [faint]{time.monotonic() - started:.1f}s[/]")
    return outputs


def _announce(
    state: State, config: server.CloudConfig, cloud: server.Cloud, outputs: Outputs
) -> None:
    """Requeue what a crash left behind, then tell the world that the pipeline is up."""
    _recover(config.port)
    url, chat = (f"{outputs.site_url}/{page}.html" for page in ("index", "chat"))
    token = aws.first_token(state.token_file, config.port)
    state.publish(
        Running(
            pid=os.getpid(),
            started=psutil.Process().create_time(),
            cloud_pid=cloud.pid,
            port=config.port,
            gallery_url=url,
            api_url=outputs.api_url,
            chat_url=chat,
        )
    )
    console.print()
    console.print(f"  gallery  [link]{url}[/]")
    console.print(f"  calls    [link]{chat}[/]")
    console.print(f"  API      [link]{outputs.api_url}[/]")
    if token:
        console.print(f"  token    [bold]{token}[/]  [faint](admin and uploader)[/]")
        upload = f"{outputs.site_url}/upload.html#token={token}"
        console.print(f"  upload   [link]{upload}[/]")
    else:
        console.print(f"  token    [faint]in {_short(state.token_file)}, or ./millrace token[/]")
    console.print("\n  [faint]Ctrl-C stops everything; videos and jobs stay.[/]\n")


def _recover(port: int) -> None:
    """Ask the monitor to requeue every unfinished task: the workers that had them are gone. Without
    this it finds them, too, but a minute later."""
    client = aws.session(port).client("lambda")
    for _ in range(_RECOVERIES):
        answer = client.invoke(
            FunctionName="millrace-monitor", Payload=json.dumps({"recover": True}).encode()
        )
        if "FunctionError" not in answer:
            return
    detail = answer["Payload"].read().decode(errors="replace")[:500]
    console.print(
        "[bad]✗[/] the monitor could not look for unfinished work; it tries every minute: "
        + escape(detail)
    )


def _follow(cloud: server.Cloud, outputs: Outputs, stop: threading.Event) -> None:
    """Show what happens until the person stops us or LocalStack dies."""
    gone = threading.Event()

    def watch() -> None:
        while not stop.is_set() and cloud.alive():
            stop.wait(0.5)
        gone.set()

    threading.Thread(target=watch, daemon=True).start()
    Activity(outputs.api_url).follow(gone)


def _shut_down(cloud: server.Cloud, stop: threading.Event) -> None:
    if stop.is_set():
        with console.status("stopping"):
            cloud.stop()
    else:
        cloud.kill()


def _count_crash(crashes: list[float], state: State) -> None:
    now = time.monotonic()
    crashes[:] = [at for at in crashes if now - at < CRASH_WINDOW_S] + [now]
    log = _short(state.logs / "localstack.log")
    if len(crashes) > CRASHES_ALLOWED:
        fail(f"LocalStack died {len(crashes)} times within {CRASH_WINDOW_S:.0f} s; see {log}")
    console.print(f"[bad]✗[/] LocalStack died; starting it again ({log} may tell why)")


def _short(path: Path) -> str:
    return str(path.relative_to(REPOSITORY)) if path.is_relative_to(REPOSITORY) else str(path)
