"""The Runtime API's protocol, spoken by hand."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from local.runtime_api.messages import MAX_RESPONSE_BYTES, Event, Kind, Signal
from local.runtime_api.server import RuntimeApi

NEXT = "/2018-06-01/runtime/invocation/next"
EVENT = Event(
    "id-1",
    b'{"a": 1}',
    "arn:aws:lambda:us-east-1:000000000000:function:f",
    timeout_s=30.0,
    trace_id="Root=1-a-b;Parent=c;Sampled=1",
    client_context='{"custom": {}}',
)


@pytest.fixture
def api() -> Iterator[RuntimeApi]:
    api = RuntimeApi()
    yield api
    api.close()


@pytest.fixture
def runtime(api: RuntimeApi) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(api.address, timeout=5)
    yield connection
    connection.close()


def get_next(runtime: http.client.HTTPConnection) -> tuple[http.client.HTTPResponse, bytes]:
    runtime.request("GET", NEXT)
    response = runtime.getresponse()
    return response, response.read()


def post(
    runtime: http.client.HTTPConnection, path: str, body: Any, **headers: str
) -> tuple[int, dict[str, Any]]:
    runtime.request("POST", f"/2018-06-01/runtime/{path}", body, headers)
    response = runtime.getresponse()
    return response.status, json.loads(response.read())


def signal(api: RuntimeApi) -> Signal:
    return api.endpoint.signals.get(timeout=5)


def take(api: RuntimeApi, runtime: http.client.HTTPConnection) -> None:
    api.endpoint.offer(EVENT)
    get_next(runtime)
    assert [signal(api).kind, signal(api).kind] == [Kind.READY, Kind.TAKEN]


def test_event_arrives_with_all_headers_when_the_runtime_asks(
    api: RuntimeApi, runtime: http.client.HTTPConnection
) -> None:
    api.endpoint.offer(EVENT)
    before_ms = time.time() * 1000
    response, body = get_next(runtime)
    assert response.status == 200
    assert body == EVENT.payload
    assert response.headers["Lambda-Runtime-Aws-Request-Id"] == "id-1"
    assert response.headers["Lambda-Runtime-Invoked-Function-Arn"] == EVENT.function_arn
    assert response.headers["Lambda-Runtime-Trace-Id"] == EVENT.trace_id
    assert response.headers["Lambda-Runtime-Client-Context"] == EVENT.client_context
    assert response.headers["Lambda-Runtime-Cognito-Identity"] is None
    left_ms = int(response.headers["Lambda-Runtime-Deadline-Ms"]) - before_ms
    assert 29_990 <= left_ms <= 31_000


def test_next_waits_when_there_is_no_event_yet(
    api: RuntimeApi, runtime: http.client.HTTPConnection
) -> None:
    runtime.request("GET", NEXT)
    assert signal(api).kind is Kind.READY
    api.endpoint.offer(EVENT)
    assert runtime.getresponse().read() == EVENT.payload


def test_response_reaches_the_caller_when_posted(
    api: RuntimeApi, runtime: http.client.HTTPConnection
) -> None:
    take(api, runtime)
    assert post(runtime, "invocation/id-1/response", b"[1]") == (202, {"status": "OK"})
    answer = signal(api)
    assert (answer.kind, answer.payload) == (Kind.RESPONSE, b"[1]")


def test_response_is_joined_when_sent_in_chunks(
    api: RuntimeApi, runtime: http.client.HTTPConnection
) -> None:
    take(api, runtime)
    status, _ = post(runtime, "invocation/id-1/response", iter([b'{"a', b'": 1', b"}"]))
    assert status == 202
    assert signal(api).payload == b'{"a": 1}'


def test_error_object_reaches_the_caller_when_posted(
    api: RuntimeApi, runtime: http.client.HTTPConnection
) -> None:
    take(api, runtime)
    error = b'{"errorType": "E", "errorMessage": "m", "stackTrace": []}'
    assert post(runtime, "invocation/id-1/error", error)[0] == 202
    answer = signal(api)
    assert (answer.kind, answer.payload) == (Kind.ERROR, error)


def test_error_object_is_made_from_the_header_when_the_body_is_no_object(
    api: RuntimeApi, runtime: http.client.HTTPConnection
) -> None:
    headers = {"Lambda-Runtime-Function-Error-Type": "Runtime.Odd"}
    assert post(runtime, "init/error", b"broken", **headers)[0] == 202
    answer = signal(api)
    assert answer.kind is Kind.INIT_ERROR
    assert json.loads(answer.payload) == {"errorType": "Runtime.Odd", "errorMessage": "broken"}


def test_answers_413_and_reads_the_body_when_the_response_is_too_long(
    api: RuntimeApi, runtime: http.client.HTTPConnection
) -> None:
    take(api, runtime)
    status, refusal = post(runtime, "invocation/id-1/response", b"x" * (MAX_RESPONSE_BYTES + 1))
    assert status == 413
    assert refusal["errorType"] == "RequestEntityTooLarge"
    answer = signal(api)
    assert answer.kind is Kind.TOO_LARGE
    assert json.loads(answer.payload)["errorType"] == "Function.ResponseSizeTooLarge"
    # The connection is still in step.
    assert post(runtime, "invocation/id-1/response", b"1")[0] == 400


@pytest.mark.parametrize("path", ["invocation/other/response", "invocation/other/error"])
def test_answers_400_when_the_request_id_is_not_the_current_one(
    api: RuntimeApi, runtime: http.client.HTTPConnection, path: str
) -> None:
    take(api, runtime)
    status, refusal = post(runtime, path, b"{}")
    assert (status, refusal["errorType"]) == (400, "InvalidRequestID")
    assert api.endpoint.signals.empty()


def test_second_answer_is_refused_when_the_event_is_answered(
    api: RuntimeApi, runtime: http.client.HTTPConnection
) -> None:
    take(api, runtime)
    assert post(runtime, "invocation/id-1/response", b"1")[0] == 202
    assert post(runtime, "invocation/id-1/error", b"{}")[0] == 400
    assert signal(api).payload == b"1"
    assert api.endpoint.signals.empty()


def test_late_answer_is_refused_when_the_event_was_withdrawn(
    api: RuntimeApi, runtime: http.client.HTTPConnection
) -> None:
    take(api, runtime)
    api.endpoint.withdraw()
    assert post(runtime, "invocation/id-1/response", b"1")[0] == 400


def test_next_is_refused_when_the_event_before_is_not_answered(
    api: RuntimeApi, runtime: http.client.HTTPConnection
) -> None:
    take(api, runtime)
    response, body = get_next(runtime)
    assert response.status == 403
    assert json.loads(body)["errorType"] == "InvalidStateTransition"


def test_answers_404_when_the_operation_does_not_exist(
    api: RuntimeApi, runtime: http.client.HTTPConnection
) -> None:
    assert post(runtime, "restore/error", b"{}")[0] == 404
    runtime.request("GET", "/2020-01-01/extension/event/next")
    response = runtime.getresponse()
    assert response.status == 404
    response.read()


def test_event_is_not_used_up_when_the_runtime_has_gone(
    api: RuntimeApi, runtime: http.client.HTTPConnection
) -> None:
    runtime.request("GET", NEXT)
    assert signal(api).kind is Kind.READY
    runtime.close()
    api.endpoint.offer(EVENT)
    again = http.client.HTTPConnection(api.address, timeout=5)
    response, body = get_next(again)
    assert (response.status, body) == (200, EVENT.payload)
    assert signal(api).kind is Kind.TAKEN
    assert api.endpoint.signals.empty()
    again.close()


def test_start_is_announced_before_the_event_leaves_when_it_is_taken() -> None:
    left = threading.Event()
    announced: list[tuple[str, bool]] = []
    api = RuntimeApi(lambda event: announced.append((event.request_id, left.is_set())))
    runtime = http.client.HTTPConnection(api.address, timeout=5)
    api.endpoint.offer(EVENT)
    get_next(runtime)
    left.set()
    assert announced == [("id-1", False)]
    runtime.close()
    api.close()


def test_waiting_runtime_is_let_go_when_the_server_closes(
    api: RuntimeApi, runtime: http.client.HTTPConnection
) -> None:
    runtime.request("GET", NEXT)
    assert signal(api).kind is Kind.READY
    api.close()
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        runtime.getresponse()
    with pytest.raises(ConnectionError):
        http.client.HTTPConnection(api.address, timeout=5).request("GET", NEXT)
