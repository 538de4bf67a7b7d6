"""POSTs to strangers: where they go, and how little a stranger can do to whoever sends them."""

from __future__ import annotations

import contextlib
import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from millrace import posting
from millrace.posting import Answer, Failure
from millrace.targets import Policy
from tests.unit.core.internet import ADDRESS, HOST, URL, Internet, Reply

POLICY = Policy(plain_http=True)
SECURE_URL = f"https://{HOST}/in"


def post(url: str = URL, limit_s: float = 5, tls: ssl.SSLContext | None = None) -> Answer:
    return posting.post(url, b"{}", {"X-A": "b"}, POLICY, tls=tls, limit_s=limit_s)


def test_request_arrives_as_sent_when_the_endpoint_is_well(internet: Internet) -> None:
    answer = post()
    assert (answer.status, answer.failure, answer.is_success) == (204, None, True)
    (request,) = internet.requests
    assert (request.address, request.path, request.body) == (ADDRESS, "/in?from=millrace", b"{}")
    assert (request.headers["host"], request.headers["x-a"]) == (HOST, "b")


def test_name_is_looked_up_once_when_it_changes_its_address_at_each_look(
    internet: Internet,
) -> None:
    """DNS rebinding: a public address for the check, a private one for the connection."""

    def rebind() -> None:
        internet.names[HOST] = ["127.0.0.1"]

    internet.before_connecting = rebind
    assert post().status == 204
    assert internet.looked_up == [HOST]
    assert internet.connected == [ADDRESS]


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], [ADDRESS, "169.254.169.254"], ["::ffff:127.0.0.1"], ["::1"]]
)
def test_nothing_is_connected_to_when_the_name_leads_inside(
    internet: Internet, addresses: list[str]
) -> None:
    internet.names[HOST] = addresses
    assert post().failure == Failure.TARGET_REFUSED
    assert internet.connected == []


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1", "[::ffff:7f00:1]", "0"])
def test_nothing_is_connected_to_when_the_host_is_an_address_in_disguise(
    internet: Internet, host: str
) -> None:
    assert post(f"http://{host}/").failure == Failure.TARGET_REFUSED
    assert internet.connected == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_an_answer_and_not_followed_when_it_leads_inside(
    internet: Internet, status: int
) -> None:
    internet.reply = lambda _: Reply(status, {"Location": "http://127.0.0.1:9001/"})
    answer = post()
    assert (answer.status, answer.is_success) == (status, False)
    assert internet.connected == [ADDRESS]


def test_next_address_is_tried_when_one_does_not_answer(internet: Internet) -> None:
    internet.names[HOST] = ["2606:4700::1111", ADDRESS]
    internet.unreachable = {"2606:4700::1111"}
    assert post().status == 204
    assert internet.connected == ["2606:4700::1111", ADDRESS]
    internet.unreachable.add(ADDRESS)
    assert post().failure == Failure.CONNECTION_FAILED


def test_failure_is_named_when_there_is_no_such_host(internet: Internet) -> None:
    assert post("https://nowhere.example/").failure == Failure.NAME_NOT_FOUND


def read_request(connection: socket.socket) -> None:
    received = b""
    while not received.endswith(b"\r\n\r\n{}"):
        received += connection.recv(65536)


def drip(connection: socket.socket, first: bytes) -> None:
    """Never stops, and never lets a socket's own time limit pass."""
    read_request(connection)
    connection.sendall(first)
    connection.settimeout(0.02)
    for _ in range(500):
        connection.sendall(b"X")
        with contextlib.suppress(TimeoutError):
            if not connection.recv(1):
                return


@pytest.mark.parametrize(
    "first",
    [b"HTTP/1.1 ", b"HTTP/1.1 200 OK\r\nA: ", b"HTTP/1.1 200 OK\r\n\r\n"],
    ids=["status", "headers", "body"],
)
def test_attempt_ends_when_the_answer_never_does(internet: Internet, first: bytes) -> None:
    internet.serve_raw = lambda connection: drip(connection, first)
    assert post(limit_s=0.3).failure == Failure.TIMEOUT


def test_attempt_ends_when_nobody_answers(internet: Internet) -> None:
    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.recv(1)  # until the other side gives up

    internet.serve_raw = serve
    assert post(limit_s=0.3).failure == Failure.TIMEOUT


def test_failure_is_named_when_the_endpoint_hangs_up(internet: Internet) -> None:
    internet.serve_raw = lambda connection: connection.close()
    assert post().failure in (Failure.BAD_ANSWER, Failure.CONNECTION_FAILED)


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"b" * 70_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    ],
    ids=["not HTTP", "status", "many headers", "long header", "chunks"],
)
def test_failure_is_named_when_the_answer_is_no_http(internet: Internet, answer: bytes) -> None:
    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(answer)

    internet.serve_raw = serve
    assert post().failure == Failure.BAD_ANSWER


def test_little_is_read_when_the_answer_is_huge(internet: Internet) -> None:
    sent = []

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n")
        while connection.send(bytes(65536)):
            sent.append(65536)

    internet.serve_raw = serve
    assert post().status == 200
    assert sum(sent) < 4 * 1024 * 1024


@pytest.mark.parametrize(
    ("text", "seconds"), [("120", 120), ("-5", None), ("9" * 5000, None), ("tomorrow", None)]
)
def test_time_to_wait_is_taken_when_it_is_a_number(
    internet: Internet, text: str, seconds: int | None
) -> None:
    internet.reply = lambda _: Reply(503, {"Retry-After": text})
    answer = post()
    assert (answer.status, answer.retry_after_s) == (503, seconds)


def certificate(folder: Path, name: str) -> ssl.SSLContext:
    """A server that proves to be `name`, signed by itself (`folder/name.pem`)."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    pem = made.public_bytes(serialization.Encoding.PEM)
    path = folder / f"{name}.pem"
    path.write_bytes(pem + key.private_bytes(serialization.Encoding.PEM, *private))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    return server


def test_certificate_is_for_the_name_when_connected_to_the_address(
    internet: Internet, tmp_path: Path
) -> None:
    internet.tls = certificate(tmp_path, HOST)
    trusting = ssl.create_default_context(cafile=str(tmp_path / f"{HOST}.pem"))
    assert post(SECURE_URL, tls=trusting).status == 204
    assert internet.connected == [ADDRESS]


def test_nothing_is_sent_when_the_certificate_is_of_another_name_or_unknown(
    internet: Internet, tmp_path: Path
) -> None:
    internet.tls = certificate(tmp_path, "other.example")
    trusting = ssl.create_default_context(cafile=str(tmp_path / "other.example.pem"))
    assert post(SECURE_URL, tls=trusting).failure == Failure.TLS_FAILED
    internet.tls = certificate(tmp_path, HOST)
    assert post(SECURE_URL).failure == Failure.TLS_FAILED
    assert internet.requests == []
