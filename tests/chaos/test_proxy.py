"""The disturber: what it passes on, and that each fault is what a client would take for it."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.chaos.faults import STORM, Fault, Faults, Rates, Request
from tests.chaos.proxy import Proxy
from tests.harness.pipeline import eventually

DYNAMO = {"X-Amz-Target": "DynamoDB_20120810.TransactWriteItems"}
SEND = {"X-Amz-Target": "AmazonSQS.SendMessage"}
SEND_MANY = {"X-Amz-Target": "AmazonSQS.SendMessageBatch"}


@dataclass
class Cloud:
    """Answers everything with 200 and remembers it."""

    port: int
    seen: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)


@contextmanager
def listening() -> Iterator[Cloud]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            cloud.seen.append((self.command, self.path, dict(self.headers), body))
            self.send_response(200)
            self.send_header("X-Answer", "yes")
            self.send_header("Content-Length", "2")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(b"{}")

        do_GET = do_PUT = do_HEAD = do_POST  # noqa: N815 - the base class wants these names

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    cloud = Cloud(server.server_port)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield cloud
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def disturbed(rates: Rates, **options: Any) -> Iterator[tuple[Cloud, Proxy]]:
    with listening() as cloud, Proxy(cloud.port, Faults(1, rates), **options).running() as proxy:
        yield cloud, proxy


def test_request_arrives_as_it_was_sent_when_it_is_calm() -> None:
    with disturbed(Rates()) as (cloud, proxy):
        answer = requests.put(
            f"{proxy.url}/bucket/a%2Fb%20c?X-Amz-Signature=1%2B2&versionId",
            data=b"\x00\xffbytes" * 100_000,
            headers={"X-Amz-Date": "now"},
            timeout=10,
        )
        assert (answer.status_code, answer.headers["X-Answer"]) == (200, "yes")
        [(method, path, headers, body)] = cloud.seen
        assert method == "PUT"
        assert path == "/bucket/a%2Fb%20c?X-Amz-Signature=1%2B2&versionId"
        assert headers["Host"] == f"127.0.0.1:{proxy.port}", "or signatures would not hold"
        assert (headers["X-Amz-Date"], body) == ("now", b"\x00\xffbytes" * 100_000)


def test_client_of_aws_sees_throttling_when_the_table_is_throttled() -> None:
    with disturbed(Rates(throttled=1)) as (cloud, proxy):
        client = boto3.client(
            "dynamodb",
            endpoint_url=proxy.url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 1}),
        )
        with pytest.raises(ClientError) as caught:
            client.get_item(TableName="t", Key={"pk": {"S": "a"}})
        assert caught.value.response["Error"]["Code"] == "ProvisionedThroughputExceededException"
        assert cloud.seen == []


def test_write_is_made_when_only_its_answer_is_lost() -> None:
    with disturbed(Rates(answer_lost=1)) as (cloud, proxy):
        with pytest.raises(requests.ConnectionError):
            requests.post(proxy.url, data=b"{}", headers=DYNAMO, timeout=10)
        assert len(cloud.seen) == 1


def test_every_third_object_request_is_refused_when_that_is_the_rate() -> None:
    with disturbed(Rates(slow_down_every=3)) as (_, proxy):
        url = f"{proxy.url}/millrace-site-local/videos/a"
        statuses = [requests.get(url, timeout=10).status_code for _ in range(6)]
        assert statuses == [200, 200, 503, 200, 200, 503]


@pytest.mark.parametrize("sending", [SEND, SEND_MANY])
def test_message_arrives_again_at_once_and_later_when_it_is_repeated(
    sending: dict[str, str],
) -> None:
    with disturbed(Rates(duplicated=1, late=1)) as (cloud, proxy):
        proxy.faults.seconds = lambda most: most / 100  # type: ignore[method-assign]
        assert requests.post(proxy.url, data=b"{}", headers=sending, timeout=10).ok
        assert len(cloud.seen) >= 2
        eventually("the late one", lambda: len(cloud.seen) == 3, 60)


def test_client_is_killed_after_its_write_when_it_is_to_die_done() -> None:
    with disturbed(Rates(died_done=1)) as (cloud, proxy):
        program = (
            "import contextlib, requests, sys, time\n"
            "with contextlib.suppress(requests.ConnectionError):\n"
            "    requests.post(sys.argv[1], data=b'LOG#x#task.done#y', timeout=20,\n"
            "        headers={'X-Amz-Target': 'DynamoDB_20120810.TransactWriteItems'})\n"
            "time.sleep(20)"  # its connection may break a moment before its death
        )
        client = subprocess.run([sys.executable, "-c", program, proxy.url], timeout=30, check=False)
        assert client.returncode == -signal.SIGKILL
        assert len(cloud.seen) == 1


def test_connection_breaks_when_the_cloud_is_dead() -> None:
    with disturbed(Rates()) as (cloud, proxy):
        proxy.to_port = 1
        with pytest.raises(requests.ConnectionError):
            requests.get(proxy.url, timeout=10)
        assert cloud.seen == []


def test_decisions_repeat_when_the_seed_is_the_same() -> None:
    put = Request("PUT", "/millrace-site-local/x", "", b"")
    write = Request("POST", "/", DYNAMO["X-Amz-Target"], b"#task.done#")
    message = Request("POST", "/", SEND_MANY["X-Amz-Target"], b"")

    def decisions(seed: int) -> list[set[Fault]]:
        faults = Faults(seed, STORM)
        return [faults.of(request) for request in (put, write, message) * 200]

    assert decisions(1) == decisions(1)
    assert decisions(1) != decisions(2)
    assert set().union(*decisions(1)) == set(Fault)
