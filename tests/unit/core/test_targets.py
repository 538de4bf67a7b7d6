"""Where webhooks may lead, and the ways around it that are none."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from millrace import targets
from millrace.errors import MillraceError
from millrace.targets import BadTarget, Policy, Target
from tests.unit.core.internet import Internet

PUBLIC = Policy()


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1"),
        *("169.254.169.254", "169.254.170.2", "100.64.0.1", "100.100.100.200", "192.0.0.8"),
        *("192.88.99.1", "198.18.0.1", "203.0.113.9", "224.0.0.1", "255.255.255.255", "240.0.0.1"),
        *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1"),
        *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:10.0.0.1", "::127.0.0.1"),
        *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2001:db8::1"),
        *("2001:0:5ef5:79fd::1", "100::1"),
    ],
)
def test_address_is_refused_when_it_is_not_public(address: str) -> None:
    assert not PUBLIC.allows(ip_address(address))


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"]
)
def test_address_is_allowed_when_it_is_public(address: str) -> None:
    assert PUBLIC.allows(ip_address(address))


def test_only_the_networks_are_open_when_the_setting_names_some() -> None:
    inside = Policy.parse("10.1.0.0/16, fd12::/16", plain_http=False)
    both = Policy.parse("public,127.0.0.0/8", plain_http=False)
    addresses = ("10.1.2.3", "10.2.0.1", "fd12::1", "8.8.8.8", "127.0.0.1", "::ffff:10.1.2.3")
    assert [inside.allows(ip_address(each)) for each in addresses] == [
        *(True, False, True, False, False, True)
    ]
    assert [both.allows(ip_address(each)) for each in addresses] == [
        *(False, False, False, True, True, False)
    ]


@pytest.mark.parametrize("setting", ["everywhere", "10.0.0.1/8", "10.0.0.0/33"])
def test_setting_is_refused_when_a_part_is_no_network(setting: str) -> None:
    with pytest.raises(MillraceError, match="webhook_networks"):
        Policy.parse(setting, plain_http=False)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://hooks.example/", "not_https"),
        ("ftp://hooks.example/", "not_https"),
        ("file:///etc/passwd", "not_https"),
        ("//hooks.example/", "not_https"),
        ("https://", "bad_host"),
        ("https:///path", "bad_host"),
        ("https://user@hooks.example/", "has_user"),
        ("https://user:password@hooks.example/", "has_user"),
        ("https://hooks.example@127.0.0.1/", "has_user"),
        ("https://hooks.example/#", "has_fragment"),
        ("https://127.0.0.1/", "not_allowed"),
        ("https://[::1]/", "not_allowed"),
        ("https://[::ffff:127.0.0.1]/", "not_allowed"),
        ("https://169.254.169.254/latest/meta-data/", "not_allowed"),
        ("https://2130706433/", "bad_host"),
        ("https://0x7f000001/", "bad_host"),
        ("https://0x7f.1/", "bad_host"),
        ("https://017700000001/", "bad_host"),
        ("https://127.1/", "bad_host"),
        ("https://127.0.0.1./", "bad_host"),
        ("https://hooks.example.0x1/", "bad_host"),
        ("https://-bad.example/", "bad_host"),
        ("https://under_score.example/", "bad_host"),
        (f"https://{'a' * 64}.example/", "bad_host"),
        ("https://hooks.example:0/", "not_an_address"),
        ("https://hooks.example:65536/", "not_an_address"),
        ("https://hooks.example:x/", "not_an_address"),
        ("https://[::1/", "not_an_address"),
        ("https://hooks.example\\@127.0.0.1/", "bad_characters"),
        ("https://hooks.example/a b", "bad_characters"),
        ("https://hooks.example/\r\nX-Header: 1", "bad_characters"),
        ("https://höoks.example/", "bad_characters"),
        ("https://hooks.example/" + "a" * 2048, "bad_characters"),
    ],
)
def test_url_is_refused_with_its_reason_when_it_is(url: str, code: str) -> None:
    with pytest.raises(BadTarget) as refused:
        targets.parse(url, PUBLIC)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("url", "target", "authority"),
    [
        (
            "https://hooks.example/in?a=b",
            Target(True, "hooks.example", 443, "/in?a=b"),
            "hooks.example",
        ),
        ("https://Hooks.EXAMPLE", Target(True, "hooks.example", 443, "/"), "hooks.example"),
        (
            "https://xn--hks-sna.example:8443/",
            Target(True, "xn--hks-sna.example", 8443, "/"),
            "xn--hks-sna.example:8443",
        ),
        (
            "https://[2606:4700::1111]/",
            Target(True, "2606:4700::1111", 443, "/"),
            "[2606:4700::1111]",
        ),
        ("https://8.8.8.8:80/x", Target(True, "8.8.8.8", 80, "/x"), "8.8.8.8:80"),
    ],
)
def test_url_is_taken_apart_when_it_is_good(url: str, target: Target, authority: str) -> None:
    assert targets.parse(url, PUBLIC) == target
    assert target.authority == authority


def test_plain_http_is_taken_when_the_setting_allows_it() -> None:
    policy = Policy(plain_http=True)
    assert targets.parse("http://hooks.example/", policy).port == 80


def test_name_is_refused_when_any_of_its_addresses_is_private(internet: Internet) -> None:
    target = targets.parse("https://hooks.example/", PUBLIC)
    for addresses in (["127.0.0.1"], ["93.184.216.34", "10.0.0.1"], ["::ffff:192.168.0.1"]):
        internet.names["hooks.example"] = addresses
        with pytest.raises(BadTarget):
            targets.resolve(target, PUBLIC)
    internet.names["hooks.example"] = ["2606:4700::1111", "93.184.216.34", "93.184.216.34"]
    assert targets.resolve(target, PUBLIC) == [("2606:4700::1111", 443), ("93.184.216.34", 443)]
