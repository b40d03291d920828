"""Where webhooks may lead: not into the operator's own network, in whatever spelling, unless the operator says so."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bus import Settings
from bus.errors import InvalidInput
from bus.webhook_urls import MAX_URL, Allowed, allowed_by, allowed_hosts, checked_url, shown

NOTHING = Allowed()


def _refused(url: object, allowed: Allowed = NOTHING) -> str:
    with pytest.raises(InvalidInput) as caught:
        checked_url(url, allowed, field="webhook_url")
    assert caught.value.reason_code == "invalid_webhook_url"
    assert caught.value.details["field"] == "webhook_url"
    return caught.value.message


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com", "http://example.com:8080/hook?token=x&y", "HTTPS://Example.COM/Ü?q=ä", "https://93.184.215.14/",
        "https://bücher.example/hook", "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]:8443/", "https://example.com./x",
        "https://xn--bcher-kva.example/", "http://my_host.example.com/", "https://hooks.example/a@b", "https://intranet/hook",
    ],
)  # fmt: skip
def test_a_public_url_is_kept_as_it_was_given(url: str) -> None:
    """http and https, a name or a public address, with whatever port, path and query; spaces around it are none of it."""
    assert checked_url(f" {url} ", NOTHING, field="url") == url


@pytest.mark.parametrize(
    "url",
    [
        None, 7, True, b"https://example.com", ["https://example.com"], "", " ", "example.com", "//example.com/", "https://",
        "https:///path", "https:example.com", "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/",
        "javascript:alert(1)", "https://user@example.com/", "https://user:secret@example.com/", "https://@example.com/",
        "https://:@example.com/", "https://example.com/#part", "https://example.com/#", "https://example.com:0/",
        "https://example.com:65536/", "https://example.com:http/", "https://example.com:-1/", "https://exa mple.com/",
        "https://example.com/a b", "https://example.com/\n", "\thttps://example.com/", "https://example.com/\x00",
        "https://example.com/\u202e", "https://example.com/\u200b", "https://example.com\\@10.0.0.1/", "https://ex%61mple.com/",
        "https://-example.com/", "https://exa..mple.com/", "https://.example.com/", "https://exa$mple.com/", "https://[::1/",
        "https://[example.com]/", "https://example.com/\ud800", "https://" + "a" * 64 + "." + "b" * 250 + "/",
        "https://example.com/" + "x" * MAX_URL,
    ],
)  # fmt: skip
def test_what_is_no_url_for_a_webhook_is_refused(url: object) -> None:
    """With the field named, before anything is stored."""
    assert _refused(url).startswith("webhook_url must ") or "webhook_url is no URL" in _refused(url)


PRIVATE = [
    "127.0.0.1", "127.1", "127.255.255.254", "2130706433", "0x7f000001", "0x7f.1", "017700000001", "0.0.0.0", "0", "10.0.0.1",
    "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "0xA9FEA9FE", "2852039166",
    "100.64.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1",
    "255.255.255.255", "127.0.0.1.", "127。0。0。1", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]",
    "[fe80::1]", "[fe80::1%25eth0]", "[2606:4700::1%25eth0]", "[fc00::1]", "[fd00:ec2::254]", "[fec0::1]", "[ff02::1]",
    "[64:ff9b::7f00:1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::1]", "[2002:7f00:1::1]", "[2002:a00:1::]", "[2001::1]",
    "[2001:db8::1]", "[3fff::1]", "[100::1]", "[5f00::1]", "localhost", "LOCALHOST.", "redis.localhost", "printer.local",
    "metadata.google.internal",
]  # fmt: skip


@pytest.mark.parametrize("host", PRIVATE)
def test_a_private_address_is_refused_in_every_spelling(host: str) -> None:
    """Loopback, private, link-local, carrier, metadata, multicast, reserved; decimal, octal, mapped, tunnelled."""
    assert "BACKCHANNEL_WEBHOOK_ALLOW" in _refused(f"http://{host}/hook")
    assert "BACKCHANNEL_WEBHOOK_ALLOW" in _refused(f"https://{host}:8443")


@given(st.ip_addresses(v=4))
def test_the_tunnels_of_an_address_are_as_private_as_it_is(address: object) -> None:
    """Mapped, 6to4 and NAT64 lead to the IPv4 address inside."""
    inner = ip_address(str(address))
    public = NOTHING.address(inner)
    high, low = f"{int(inner) >> 16:x}", f"{int(inner) & 0xFFFF:x}"
    for outer in (f"::ffff:{high}:{low}", f"64:ff9b::{high}:{low}", f"2002:{high}:{low}::1"):
        assert NOTHING.address(ip_address(outer)) == public


def test_what_the_operator_lists_is_allowed() -> None:
    """A network, an address, a host by its name: that, and no more."""
    allowed = allowed_hosts("10.1.0.0/16, 127.0.0.1,hooks.lan , Localhost, fd00::/8,[::1]")
    for host in ("10.1.2.3", "127.0.0.1", "127.1", "hooks.lan", "HOOKS.lan.", "localhost:9000", "[fd00::7]", "[::1]"):
        url = f"http://{host}/"
        assert checked_url(url, allowed, field="url") == url
    for host in ("10.2.0.1", "127.0.0.2", "other.local", "x.localhost", "[fe80::1]", "192.168.0.1"):
        assert "not public" in _refused(f"http://{host}/", allowed)
    assert allowed.address(ip_address("10.1.9.9"))
    assert not allowed.address(ip_address("10.2.9.9"))


@pytest.mark.parametrize("listed", ["10.0.0.0/33", "*.lan", "http://hooks.lan", "hooks.lan:80", "10.0.0", "a b", "fd00::/8/8"])
def test_a_list_that_cannot_be_read_stops_the_start(listed: str) -> None:
    """With the variable and the part named: what it does not allow would otherwise show only when something is sent."""
    with pytest.raises(ValidationError) as caught:
        Settings(webhook_allow=listed)
    assert "webhook_allow" in str(caught.value)
    assert repr(listed) in str(caught.value)


def test_the_settings_lead_to_what_is_allowed() -> None:
    """Nothing by default."""
    assert allowed_by(Settings()) == NOTHING
    assert allowed_by(Settings(webhook_allow="127.0.0.1")).address(ip_address("127.0.0.1"))


def test_a_url_is_listed_without_its_query() -> None:
    """Tokens are kept there."""
    assert shown("https://example.com/hook?token=secret") == "https://example.com/hook"
