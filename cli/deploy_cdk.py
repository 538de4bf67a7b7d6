"""Runs the CDK: synthesis in Python, deployment by the CDK command line (npm's aws-cdk)."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localstack_client.session import Session

from cdk import layer
from cdk.settings import Settings
from cli import aws
from cli.deploy_sweep import STACK
from cli.state import REPOSITORY

ASSEMBLIES = REPOSITORY / "build" / "cdk"
ASSEMBLIES_KEPT = 6
"""Deployments of other settings may be at work with theirs."""
CDK = REPOSITORY / "node_modules" / "aws-cdk" / "bin" / "cdk"
QUALIFIER = "hnb659fds"
"""CDK's default name for what `cdk bootstrap` makes."""
BOOTSTRAP_VERSION = "30"
_DIFFERING = re.compile(r"Number of stacks with differences: (\d+)")
_EVENT = re.compile(r"\|\s*(\d+)(?:/\d+)? \|.*\| CREATE_COMPLETE|\|.*\| UPDATE_COMPLETE")


class DeployError(RuntimeError):
    """The deployment failed; the message says at what, and where the log is."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Between what is deployed and what would be."""

    text: str
    """As `cdk diff` writes it."""
    any: bool


def synthesize(settings: Settings, fingerprint: str, log: Path) -> Path:
    """Make the cloud assembly (template and assets), or find the one made before.

    Args:
        settings: become the CDK context.
        fingerprint: of the sources; the same one means the same assembly.
        log: the CDK app's output is appended here.

    Returns:
        The assembly's folder.
    """
    assembly = ASSEMBLIES / fingerprint[:16]
    with _one_at_a_time():
        if (assembly / "manifest.json").exists():
            os.utime(assembly)
            return assembly
        layer.build()
        unfinished = assembly.with_suffix(".unfinished")
        for old in (assembly, unfinished):
            shutil.rmtree(old, ignore_errors=True)
        environment = _tools() | {
            "CDK_OUTDIR": str(unfinished),
            "CDK_CONTEXT_JSON": json.dumps(settings.to_context()),
            "PYTHONPATH": str(REPOSITORY / "layers" / "core" / "python"),
        }
        _run([sys.executable, "-m", "cdk.app"], environment, log, lambda _line: None)
        unfinished.rename(assembly)
        _forget_old_assemblies()
    return assembly


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Two deployments from one checkout would make the same layer and template at once."""
    ASSEMBLIES.mkdir(parents=True, exist_ok=True)
    with (ASSEMBLIES / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _forget_old_assemblies() -> None:
    folders = [path for path in ASSEMBLIES.iterdir() if path.is_dir()]
    found = sorted(folders, key=lambda path: path.stat().st_mtime, reverse=True)
    for old in found[ASSEMBLIES_KEPT:]:
        shutil.rmtree(old, ignore_errors=True)


def prepare_account(session: Session) -> None:
    """What `cdk bootstrap` is needed for on this machine: a bucket for assets, and a version.

    On AWS that command also makes roles, keys and an image registry. Nothing here uses them, and
    leaving them out saves ten seconds of every first start.
    """
    bucket = f"cdk-{QUALIFIER}-assets-{aws.ACCOUNT}-{aws.REGION}"
    session.client("s3").create_bucket(Bucket=bucket)
    session.client("ssm").put_parameter(
        Name=f"/cdk-bootstrap/{QUALIFIER}/version",
        Value=BOOTSTRAP_VERSION,
        Type="String",
        Overwrite=True,
    )


def deploy_stack(
    assembly: Path,
    environment: Mapping[str, str],
    log: Path,
    progress: Callable[[str], None],
    *,
    adopt: bool = False,
) -> dict[str, str]:
    """`cdk deploy` an assembly.

    Args:
        adopt: take over resources that are there by their names, as an earlier stack left them.

    Returns:
        The stack's outputs.

    Raises:
        DeployError: the command failed.
    """
    total = _resource_count(assembly)
    outputs = assembly / "outputs.json"
    command = [
        *(str(CDK), "deploy", STACK, "--app", str(assembly), "--outputs-file", str(outputs)),
        *("--require-approval", "never", "--progress", "events"),
        *(("--import-existing-resources",) if adopt else ("--method", "direct")),
        *("--no-notices", "--no-version-reporting", "--no-color"),
    ]
    done: set[str] = set()

    def follow(line: str) -> None:
        if _EVENT.search(line):
            done.add(line.split("|")[-1].strip())
            progress(f"{min(len(done), total)} of {total} resources")

    outputs.unlink(missing_ok=True)
    progress("uploading the code")
    _run([str(_node()), *command], {**_tools(), **environment}, log, follow)
    found: dict[str, dict[str, str]] = json.loads(outputs.read_text())
    if not found.get(STACK):
        raise DeployError(f"cdk deploy ended well, but deployed nothing; the log is {log}")
    return found[STACK]


def diff_stack(assembly: Path, environment: Mapping[str, str], log: Path) -> Difference:
    """`cdk diff` of an assembly with what is deployed: their templates, so nothing is made.

    Raises:
        DeployError: the command failed.
    """
    lines: list[str] = []
    command = [
        *(str(CDK), "diff", STACK, "--app", str(assembly), "--method", "template"),
        *("--no-notices", "--no-version-reporting", "--no-color", "--fail-on", "never"),
    ]
    _run([str(_node()), *command], {**_tools(), **environment}, log, lines.append)
    text = "".join(lines)
    found = _DIFFERING.search(text)
    if found is None:
        raise DeployError(f"cdk diff ended well, but tells nothing; the log is {log}")
    return Difference(text=text, any=found[1] != "0")


def bootstrap(account: str, region: str, environment: Mapping[str, str], log: Path) -> None:
    """`cdk bootstrap`: what every deployment into an account and region needs, once.

    Raises:
        DeployError: the command failed.
    """
    command = [
        *(str(CDK), "bootstrap", f"aws://{account}/{region}"),
        *("--no-notices", "--no-version-reporting", "--no-color"),
    ]
    _run([str(_node()), *command], {**_tools(), **environment}, log, lambda _line: None)


def _resource_count(assembly: Path) -> int:
    template: dict[str, Any] = json.loads((assembly / f"{STACK}.template.json").read_text())
    return len(template["Resources"])


def _node() -> Path:
    return Path(sys.executable).parent / "node"


def _tools() -> dict[str, str]:
    """The environment of the CDK's programs: this checkout's node, and no call to the Internet."""
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
    return kept | {
        "PATH": f"{_node().parent}:{os.environ.get('PATH', os.defpath)}",
        "CDK_HOME": str(ASSEMBLIES.with_name("cdk-home")),
        "CDK_DISABLE_CLI_TELEMETRY": "1",
        "CDK_DISABLE_VERSION_CHECK": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
    }


def _run(
    command: list[str], environment: Mapping[str, str], log: Path, follow: Callable[[str], None]
) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    tail: list[str] = []
    with log.open("a") as out, _process(command, environment) as process:
        assert process.stdout is not None
        for line in process.stdout:
            out.write(line)
            tail = [*tail[-19:], line]
            follow(line)
    if process.returncode != 0:
        name = f"cdk {command[2]}" if str(CDK) in command else "the CDK app"
        raise DeployError(f"{name} failed (the whole log is {log}):\n{''.join(tail)}")


@contextmanager
def _process(command: list[str], environment: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A process that does not outlive this block, nor hears the terminal's Ctrl-C by itself."""
    process = subprocess.Popen(
        command,
        cwd=REPOSITORY,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
        process.wait()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
