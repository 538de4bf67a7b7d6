"""Where webhooks may lead. An address that somebody typed is called from inside of our network, so
by default only hosts of the public internet are: no private, loopback, link-local, metadata or
otherwise special address, however it is written and whatever its name resolves to.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from urllib.parse import SplitResult, urlsplit

from millrace.errors import MillraceError, Reason

MAX_URL_CHARS = 2048
PUBLIC = "public"
"""The network of all public addresses, in the setting."""
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"({_LABEL}\.)*[a-z]([a-z0-9-]{{0,61}}[a-z0-9])?\.?", re.IGNORECASE)
"""A host name's last label begins with a letter: resolvers take 2130706433, 0x7f.1 and 017700000001
for addresses."""
_UNICAST6 = IPv6Network("2000::/3")
"""All that is routed; NAT64 and the like lie outside."""
_6TO4 = IPv6Network("2002::/16")
_SPECIAL4 = (IPv4Network("192.0.0.0/24"), IPv4Network("192.88.99.0/24"))
"""IETF protocol assignments and the former 6to4 relays (RFC 6890, RFC 7526), which `is_global`
lets through."""

Address = IPv4Address | IPv6Address


class BadTarget(Exception):  # noqa: N818 - named for what it is
    """No webhook may have this address. `code` is a stable word for programs."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Policy:
    """Which addresses may be called."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    public: bool = True
    plain_http: bool = False

    @classmethod
    def parse(cls, networks: str, *, plain_http: bool) -> Policy:
        """Read the setting: networks and `public`, comma-separated.

        Raises:
            MillraceError: INTERNAL, a part is no network.
        """
        parts = [part.strip() for part in networks.split(",") if part.strip()]
        try:
            found = tuple(ipaddress.ip_network(part) for part in parts if part != PUBLIC)
        except ValueError as error:
            message = f"webhook_networks cannot be read: {error}"
            raise MillraceError(Reason.INTERNAL, message) from error
        return cls(found, PUBLIC in parts, plain_http)

    def allows(self, address: Address) -> bool:
        plain = _unmapped(address)
        listed = any(
            plain in network for network in self.networks if network.version == plain.version
        )
        return listed or (self.public and _is_public(plain))


@dataclass(frozen=True, slots=True)
class Target:
    """A webhook's address, taken apart."""

    secure: bool
    host: str
    """A name, or an address without brackets."""
    port: int
    path: str
    """With the query: what the request line has."""

    @property
    def authority(self) -> str:
        """What the header `Host` has."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"


def parse(url: str, policy: Policy) -> Target:
    """Take a webhook's address apart. Names are looked up later, each time anew.

    Raises:
        BadTarget: it is no absolute https address without user, password and fragment, or is one of
            a host that may not be called.
    """
    parts = _split(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and policy.plain_http):
        raise BadTarget("not_https", "The address must begin with https://.")
    if parts.username is not None or parts.password is not None:
        raise BadTarget("has_user", "The address must not hold a user or password.")
    if "#" in url:
        raise BadTarget("has_fragment", "The address must not have a fragment (#…).")
    host = parts.hostname or ""
    address = _literal(host)
    if address is None and not (len(host) <= 253 and _NAME.fullmatch(host)):
        message = "The host must be a name (ASCII; punycode for others) or a plain IP address."
        raise BadTarget("bad_host", message)
    if address is not None and not policy.allows(address):
        raise BadTarget("not_allowed", "Webhooks may not lead to this host.")
    secure = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(secure, host, _port(parts) or (443 if secure else 80), path)


def resolve(target: Target, policy: Policy) -> list[tuple[str, int]]:
    """Look a target's name up, once: what is connected to are these very addresses.

    Returns:
        Numeric addresses with the port, in the resolver's order.

    Raises:
        BadTarget: one of them may not be called: then none is.
        OSError: there is no such name, or nobody who could tell.
    """
    found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    numeric = list(dict.fromkeys(str(info[4][0]) for info in found))
    for text in numeric:
        if not policy.allows(ipaddress.ip_address(text)):
            raise BadTarget("not_allowed", "Webhooks may not lead to this host.")
    return [(text, target.port) for text in numeric]


def _split(url: str) -> SplitResult:
    # The parser drops line breaks and takes backslashes: what it would read is not what others do.
    if len(url) > MAX_URL_CHARS or not re.fullmatch(r"[!-\[\]-~]+", url):
        message = f"The address is at most {MAX_URL_CHARS} printable ASCII characters."
        raise BadTarget("bad_characters", message)
    try:
        parts = urlsplit(url)
        _port(parts)
    except ValueError as error:
        raise BadTarget("not_an_address", "The address cannot be parsed.") from error
    return parts


def _port(parts: SplitResult) -> int | None:
    if parts.port == 0:
        raise ValueError("no port is 0")
    return parts.port


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _unmapped(address: Address) -> Address:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _is_public(address: Address) -> bool:
    if not address.is_global or address.is_multicast:
        return False
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _SPECIAL4)
    # 6to4 leads to the IPv4 address inside of it.
    return address in _UNICAST6 and address not in _6TO4
