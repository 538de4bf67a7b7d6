"""A TURN relay on this machine: coturn, with a configuration that only this Millrace's callers can
use, and credentials that the function `signal` makes."""

from __future__ import annotations

import ipaddress
import secrets
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from cdk.functions import TURN_SECRET
from cli import aws
from cli.state import replace_text
from local.server_process import CloudError, listener_on

_PROGRAM = "turnserver"
_START_TIMEOUT_S = 10.0
_POLL_S = 0.05
_INSIDE = (
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
    *("172.16.0.0/12", "192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "240.0.0.0/4"),
    *("::1/128", "::ffff:0:0/96", "64:ff9b::/96", "fc00::/7", "fe80::/10"),
)
"""Networks that no relay leads into: private ones, this machine, and the metadata service of a
cloud (169.254.169.254), which gives credentials away. Not `::`, which coturn takes for everything;
nothing is sent there."""
_FIRST_RELAY_PORT, _LAST_RELAY_PORT = 49160, 49359


@dataclass(frozen=True, slots=True)
class TurnConfig:
    """Where the relay listens, and where it keeps its files."""

    state_dir: Path
    log_file: Path
    address: str = "127.0.0.1"
    port: int = 3478

    @property
    def urls(self) -> str:
        """As browsers are told."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        server = f"turn:{host}:{self.port}"
        return f"{server}?transport=udp,{server}?transport=tcp"

    @property
    def secret_file(self) -> Path:
        return self.state_dir / "turn-secret"


class Relay:
    """A coturn that was started."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def alive(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> None:
        self._process.kill()  # it keeps nothing
        self._process.wait()


def share_secret(config: TurnConfig, port: int) -> None:
    """Put the relay's secret where the function `signal` looks for it.

    Args:
        port: of LocalStack.
    """
    aws.session(port).client("ssm").put_parameter(
        Name=TURN_SECRET, Value=_secret(config), Type="SecureString", Overwrite=True
    )


def start(config: TurnConfig) -> Relay:
    """Start coturn and wait until it serves. The calling thread must outlive it.

    Raises:
        CloudError: coturn is not installed, its port is busy, or it does not come up.
    """
    refuse_impossible(config)
    path = config.state_dir / "turnserver.conf"
    replace_text(path, configuration(config, _secret(config)), mode=0o600)
    config.log_file.parent.mkdir(parents=True, exist_ok=True)
    with config.log_file.open("ab") as log:
        process = subprocess.Popen(
            # The kernel ends it with the thread that began it.
            ["setpriv", "--pdeathsig", "KILL", _PROGRAM, "-c", str(path)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    deadline = time.monotonic() + _START_TIMEOUT_S
    while listener_on(config.port, config.address) is None:
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            process.wait()
            raise CloudError(f"the TURN relay did not start; see {config.log_file}")
        time.sleep(_POLL_S)
    return Relay(process)


def refuse_impossible(config: TurnConfig) -> None:
    """
    Raises:
        CloudError: coturn is not installed, or its port is busy.
    """
    if shutil.which(_PROGRAM) is None:
        raise CloudError("coturn is not installed: apt-get install coturn, or leave out --turn")
    if listener_on(config.port, config.address) is not None:
        raise CloudError(
            f"port {config.port} of {config.address} is in use; choose another relay port with "
            "MILLRACE_TURN_PORT"
        )


def configuration(config: TurnConfig, secret: str) -> str:
    """coturn's configuration file. Everything it could do besides relaying is switched off."""
    lines = [
        f"listening-ip={config.address}",
        f"relay-ip={config.address}",
        f"listening-port={config.port}",
        f"min-port={_FIRST_RELAY_PORT}",
        f"max-port={_LAST_RELAY_PORT}",
        "realm=millrace",
        "use-auth-secret",
        f"static-auth-secret={secret}",
        "fingerprint",
        "stale-nonce=600",
        "user-quota=12",
        "total-quota=1200",
        *("no-cli", "no-tls", "no-dtls", "no-tcp-relay", "no-multicast-peers"),
        "no-software-attribute",
        *_denials(),
        # Both callers may be relayed: then the relay is told to send to itself.
        f"allowed-peer-ip={config.address}",
        "log-file=stdout",
        f"pidfile={config.state_dir / 'turnserver.pid'}",
        f"userdb={config.state_dir / 'turn-users'}",
    ]
    if ipaddress.ip_address(config.address).is_loopback:
        # On loopback both callers are on this machine: a relay to itself is what is wanted.
        lines.append("allow-loopback-peers")
    return "\n".join(lines) + "\n"


def _denials() -> list[str]:
    networks = [ipaddress.ip_network(network) for network in _INSIDE]
    return [f"denied-peer-ip={network[0]}-{network[-1]}" for network in networks]


def _secret(config: TurnConfig) -> str:
    if not config.secret_file.exists():
        replace_text(config.secret_file, secrets.token_hex(32), mode=0o600)
    return config.secret_file.read_text().strip()
