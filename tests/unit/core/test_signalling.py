"""The signalling of calls, on the pretended AWS."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from millrace import connections, keys, passphrases, rooms
from millrace.call_model import Connection, Room
from millrace.events import MalformedMessage
from millrace.model import Item
from tests.unit.core.calling import SECRET, Gateway, Phone
from tests.unit.core.harness import Cloud

OFFER = {"description": {"type": "offer", "sdp": "v=0 secret-of-the-callers"}}


@pytest.fixture
def gateway(cloud: Cloud) -> Gateway:
    return Gateway()


def _pair(gateway: Gateway) -> tuple[Phone, Phone, dict[str, Any], dict[str, Any]]:
    first, second = gateway.connect(), gateway.connect()
    created = first.answer("create")
    joined = second.answer("join", room=created["room"])
    first.take()
    return first, second, created, joined


def _code(answers: list[dict[str, Any]]) -> str:
    (answer,) = answers
    assert answer["type"] == "error"
    return str(answer["code"])


def test_both_learn_of_each_other_when_the_second_joins(gateway: Gateway) -> None:
    first, second = gateway.connect(), gateway.connect()
    created = first.answer("create")
    assert (created["type"], created["polite"]) == ("joined", False)
    assert "peer" not in created
    joined = second.answer("join", room=created["room"])
    assert (joined["peer"], joined["polite"]) == (created["member"], True)
    assert first.take() == [{"v": 1, "type": "peer-joined", "member": joined["member"]}]


def test_signal_reaches_the_other_side_alone_when_two_are_in(gateway: Gateway) -> None:
    first, second, created, _ = _pair(gateway)
    assert first.send("signal", seq=7, data=OFFER) == []
    (heard,) = second.take()
    assert heard == {"v": 1, "type": "signal", "seq": 7, "data": OFFER, "from": created["member"]}


def test_first_tab_is_told_not_to_come_back_when_a_second_one_takes_its_seat(
    gateway: Gateway,
) -> None:
    first, _, created, _ = _pair(gateway)
    duplicate = gateway.connect()
    joined = duplicate.answer("join", room=created["room"], key=created["key"])
    assert joined["type"] == "joined"
    (told,) = first.take()
    assert (told["type"], told["code"]) == ("error", "SESSION_ENDED")
    assert "about" not in told
    assert gateway.closed == [first.id]


def test_former_socket_is_closed_without_a_word_when_its_session_goes_on_over_another(
    gateway: Gateway,
) -> None:
    first, _, created, _ = _pair(gateway)
    renewed = gateway.connect()
    renewed.send("resume", room=created["room"], key=created["key"])
    assert (first.take(), gateway.closed) == ([], [first.id])


def test_nothing_of_a_signal_is_kept_when_it_was_passed_on(cloud: Cloud, gateway: Gateway) -> None:
    first, *_ = _pair(gateway)
    first.send("signal", seq=1, data=OFFER)
    assert "secret-of-the-callers" not in json.dumps(cloud.database.items("millrace"), default=str)


def test_third_is_refused_when_two_are_in(gateway: Gateway) -> None:
    _, _, created, _ = _pair(gateway)
    third = gateway.connect()
    (refusal,) = third.send("join", room=created["room"])
    assert (refusal["code"], refusal["retry_after_s"]) == ("ROOM_FULL", 5)


def test_two_of_three_are_seated_when_another_takes_the_seat_first(
    cloud: Cloud, gateway: Gateway
) -> None:
    room = gateway.connect().answer("create")["room"]
    slow, quick = gateway.connect(), gateway.connect()
    raced = False

    def race(operation: str) -> None:
        nonlocal raced
        if operation == "TransactWriteItems" and not raced:
            raced = True
            assert quick.answer("join", room=room)["type"] == "joined"

    cloud.wire.on_call = race
    assert _code(slow.send("join", room=room)) == "ROOM_FULL"


def test_seat_is_kept_and_resumed_when_the_socket_drops(gateway: Gateway) -> None:
    first, second, created, joined = _pair(gateway)
    second.vanish()
    (away,) = first.take()
    assert (away["type"], away["kept_s"]) == ("peer-away", 30)
    assert _code(first.send("signal", seq=1, data=OFFER)) == "PEER_AWAY"
    again = gateway.connect()
    resumed = again.answer("resume", room=created["room"], key=joined["key"])
    assert (resumed["resumed"], resumed["member"]) == (True, joined["member"])
    assert resumed["polite"] is True
    assert first.take() == [{"v": 1, "type": "peer-back", "member": joined["member"]}]


def test_old_socket_is_closed_and_its_end_changes_nothing_when_a_session_renews_it(
    gateway: Gateway,
) -> None:
    first, second, created, joined = _pair(gateway)
    renewed = gateway.connect()
    renewed.answer("resume", room=created["room"], key=joined["key"])
    assert gateway.closed == [second.id]
    gateway.event("DISCONNECT", second.id)
    assert [news["type"] for news in first.take()] == ["peer-back"]
    assert first.send("signal", seq=2, data=OFFER) == []
    assert renewed.take()[0]["seq"] == 2


def test_old_socket_may_not_speak_when_its_session_went_on_elsewhere(gateway: Gateway) -> None:
    first, second, created, joined = _pair(gateway)
    gateway.connect().answer("resume", room=created["room"], key=joined["key"])
    gateway.open.add(second.id)  # its closing is on its way
    assert _code(second.send("signal", seq=1, data=OFFER)) == "SESSION_ENDED"
    assert [news["type"] for news in first.take()] == ["peer-back"]


def test_seat_is_free_when_its_time_without_a_socket_is_over(
    cloud: Cloud, gateway: Gateway
) -> None:
    _, second, created, joined = _pair(gateway)
    second.vanish()
    assert _code(gateway.connect().send("join", room=created["room"])) == "ROOM_FULL"
    cloud.pass_time(rooms.GRACE_S + 1)
    late = gateway.connect()
    assert _code(late.send("resume", room=created["room"], key=joined["key"])) == "SESSION_ENDED"
    assert late.answer("join", room=created["room"])["member"] != joined["member"]


def test_somebody_new_has_the_seat_when_a_page_is_loaded_again(gateway: Gateway) -> None:
    first, second, created, joined = _pair(gateway)
    again = gateway.connect().answer("join", room=created["room"], key=joined["key"])
    assert again["member"] != joined["member"]
    assert (again["polite"], again["resumed"], again["peer"]) == (True, False, created["member"])
    assert gateway.closed == [second.id]
    assert first.take() == [{"v": 1, "type": "peer-joined", "member": again["member"]}]


def test_seat_is_nobody_elses_when_a_stranger_shows_a_wrong_key(gateway: Gateway) -> None:
    _, _, created, _ = _pair(gateway)
    assert _code(gateway.connect().send("join", room=created["room"], key="x")) == "ROOM_FULL"


def test_seat_is_free_at_once_when_somebody_leaves(gateway: Gateway) -> None:
    first, second, created, joined = _pair(gateway)
    assert second.answer("leave") == {"v": 1, "type": "left"}
    assert first.take() == [{"v": 1, "type": "peer-left", "member": joined["member"]}]
    assert second.answer("join", room=created["room"])["polite"] is True


def test_seat_is_free_when_the_end_of_the_socket_overtook_the_leaving(
    cloud: Cloud, gateway: Gateway
) -> None:
    first, second, created, joined = _pair(gateway)
    dropped = rooms.drop(created["room"], 1, second.id)  # its `$disconnect` got that far
    second.send("leave")
    assert dropped
    assert [news["type"] for news in first.take()] == ["peer-left"]
    assert gateway.connect().answer("join", room=created["room"])["member"] != joined["member"]


def test_closed_socket_gives_its_seat_up_when_nobody_told_of_its_end(
    cloud: Cloud, gateway: Gateway
) -> None:
    first, second, created, _ = _pair(gateway)
    second.vanish(told=False)
    third = gateway.connect()
    assert _code(third.send("join", room=created["room"])) == "ROOM_FULL"
    assert [news["type"] for news in first.take()] == ["knock", "peer-away"]
    cloud.pass_time(rooms.GRACE_S + 1)
    assert third.answer("join", room=created["room"])["type"] == "joined"


def test_sender_is_told_and_the_socket_removed_when_the_peer_is_gone(gateway: Gateway) -> None:
    first, second, *_ = _pair(gateway)
    second.vanish(told=False)
    answers = first.send("signal", seq=1, data=OFFER)
    assert {answer.get("code") for answer in answers} == {"PEER_AWAY", None}
    assert connections.get(second.id) is None


def test_disconnect_does_nothing_more_when_it_comes_twice(gateway: Gateway) -> None:
    first, second, *_ = _pair(gateway)
    second.vanish()
    gateway.event("DISCONNECT", second.id)
    assert len(first.take()) == 1


def test_socket_is_closed_when_its_disconnect_overtook_its_message(gateway: Gateway) -> None:
    first = gateway.connect()
    gateway.event("DISCONNECT", first.id)
    gateway.event("MESSAGE", first.id, '{"v": 1, "action": "ping"}')
    assert gateway.closed == [first.id]


def test_connect_keeps_the_seat_when_it_comes_twice(gateway: Gateway) -> None:
    first, *_ = _pair(gateway)
    gateway.event("CONNECT", first.id)
    assert first.send("signal", seq=1, data=OFFER) == []


def test_socket_is_slowed_down_when_it_sends_too_much(cloud: Cloud, gateway: Gateway) -> None:
    first = gateway.connect()
    for _ in range(connections.MESSAGES_PER_WINDOW):
        assert first.answer("ping")["type"] == "pong"
    (refusal,) = first.send("ping")
    assert refusal["code"] == "TOO_FAST"
    cloud.pass_time(refusal["retry_after_s"])
    assert first.answer("ping")["type"] == "pong"


def test_message_is_passed_on_when_another_begins_the_same_window_first(
    cloud: Cloud, gateway: Gateway
) -> None:
    first, second, *_ = _pair(gateway)
    cloud.pass_time(connections.WINDOW_S)
    updates = 0

    def race(operation: str) -> None:
        nonlocal updates
        updates += operation == "UpdateItem"
        if updates == 2:
            updates += 1
            first.send("signal", seq=2, data=OFFER)

    cloud.wire.on_call = race
    assert first.send("signal", seq=1, data=OFFER) == []
    assert [heard["seq"] for heard in second.take()] == [2, 1]


def test_room_opens_to_the_passphrase_alone_when_it_has_one(gateway: Gateway) -> None:
    room = gateway.connect().answer("create", passphrase="höher")["room"]
    stored = Room.get(keys.room_pk(room), keys.ROOM_SK).passphrase or ""
    assert "höher" not in stored
    second = gateway.connect()
    assert _code(second.send("join", room=room)) == "PASSPHRASE_NEEDED"
    assert _code(second.send("join", room=room, passphrase="hoher")) == "PASSPHRASE_WRONG"
    decomposed = "ho\u0308her"
    assert second.answer("join", room=room, passphrase=decomposed)["type"] == "joined"


def test_guessing_is_stopped_when_many_passphrases_were_wrong(
    cloud: Cloud, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passphrases, "TRIES", 3)
    room = gateway.connect().answer("create", passphrase="right")["room"]
    guesser = gateway.connect()
    for guess in ("a", "b", "c"):
        assert _code(guesser.send("join", room=room, passphrase=guess)) == "PASSPHRASE_WRONG"
    (refusal,) = guesser.send("join", room=room, passphrase="right")
    assert refusal["code"] == "TOO_MANY_TRIES"
    cloud.pass_time(refusal["retry_after_s"] + 1)
    assert guesser.answer("join", room=room, passphrase="right")["type"] == "joined"


def test_room_is_forgotten_when_nobody_came_for_a_day(cloud: Cloud, gateway: Gateway) -> None:
    room = gateway.connect().answer("create")["room"]
    cloud.pass_time(rooms.ROOM_LIFE.total_seconds() + 1)
    assert _code(gateway.connect().send("join", room=room)) == "ROOM_UNKNOWN"


def test_everything_expires_by_itself_when_rooms_and_sockets_are_made(
    cloud: Cloud, gateway: Gateway
) -> None:
    _pair(gateway)
    items = [item for item in cloud.items() if isinstance(item, Room | Connection)]
    assert len(items) == 3
    assert all(item.ttl for item in items)


def test_members_alone_are_given_credentials_when_relays_are_asked_for(gateway: Gateway) -> None:
    stranger = gateway.connect()
    assert _code(stranger.send("relays")) == "NOT_JOINED"
    created = stranger.answer("create")
    stun, turn = stranger.answer("relays")["ice_servers"]
    assert stun == {"urls": ["stun:stun.example"]}
    assert turn["username"].partition(":")[2] == created["member"]
    digest = hmac.new(SECRET.encode(), turn["username"].encode(), hashlib.sha1).digest()
    assert turn["credential"] == base64.b64encode(digest).decode()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("", "MALFORMED"),
        ("[" * 20_000, "MALFORMED"),
        ("[]", "MALFORMED"),
        ('{"v": 2, "action": "ping"}', "VERSION_UNKNOWN"),
        ('{"v": true, "action": "ping"}', "VERSION_UNKNOWN"),
        ('{"v": 1, "action": "steal"}', "MALFORMED"),
        ('{"v": 1, "action": ["ping"]}', "MALFORMED"),
        ('{"v": 1, "action": "ping", "more": 1}', "MALFORMED"),
        ('{"v": 1, "action": "join", "room": "../x"}', "MALFORMED"),
        ('{"v": 1, "action": "create", "passphrase": ""}', "MALFORMED"),
        ('{"v": 1, "action": "create", "passphrase": "\\ud800"}', "MALFORMED"),
        ('{"v": 1, "action": "signal", "seq": -1, "data": {"wish": "restart"}}', "MALFORMED"),
        ('{"v": 1, "action": "signal", "seq": 1, "data": {"wish": "money"}}', "MALFORMED"),
        ('{"v": 1, "action": "signal", "seq": 1, "data": {"candidate": {"a": 1}}}', "MALFORMED"),
        ('{"v": 1, "action": "signal", "seq": 1, "data": {"description": {}}}', "MALFORMED"),
        ('{"v": 1, "action": "ping", "x": "' + "é" * 17_000 + '"}', "TOO_LARGE"),
    ],
)
def test_message_is_refused_with_a_reason_when_it_is_not_in_the_schema(
    gateway: Gateway, body: str, code: str
) -> None:
    assert _code(gateway.connect().send_text(body)) == code


@pytest.mark.parametrize("event", [{}, {"requestContext": {"eventType": "TEA"}}])
def test_event_is_rejected_loudly_when_it_is_no_websocket_event(
    gateway: Gateway, event: dict[str, Any]
) -> None:
    from millrace import signalling

    with pytest.raises(MalformedMessage):
        signalling.parse_event(event)


def test_repeated_disconnect_heals_when_the_function_died_in_the_first(
    cloud: Cloud, gateway: Gateway
) -> None:
    first, second, *_ = _pair(gateway)
    gateway.before_post = lambda: (_ for _ in ()).throw(ConnectionError("killed"))
    with pytest.raises(ConnectionError):
        second.vanish()
    gateway.before_post = lambda: None
    gateway.event("DISCONNECT", second.id)
    assert connections.get(second.id) is None
    assert Item.count(keys.connection_pk(first.id)) == 1
