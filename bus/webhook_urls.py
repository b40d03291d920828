"""Where a webhook may lead: which URLs are taken, and which addresses may be reached when their names are resolved."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import TYPE_CHECKING

import httpx

from .addresses import Address, Network, parsed, within
from .errors import InvalidInput

if TYPE_CHECKING:
    from .settings import Settings

MAX_URL = 2048
_HOST = re.compile(r"(?=.{1,253}\.?$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?")
# Names that are never public (RFC 6761, RFC 6762, RFC 9476 and the clouds' own): refused without asking anybody.
_PRIVATE_NAMES = ("localhost", "local", "internal", "home.arpa")
# Written out, because what `ipaddress` counts as global changes between versions of Python: IANA's special-purpose
# registries, multicast, and the metadata services that have a public address.
_PRIVATE_V4 = tuple(
    ip_network(each)
    for each in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16", "172.16.0.0/12",
        "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
        "203.0.113.0/24", "224.0.0.0/3",
    )
)  # fmt: skip
_PUBLIC_V6 = ip_network("2000::/3")
_PRIVATE_V6 = tuple(ip_network(each) for each in ("2001::/23", "2001:db8::/32", "3fff::/20"))
_NAT64 = ip_network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Allowed:
    """What BACKCHANNEL_WEBHOOK_ALLOW lists: host names, whatever they resolve to, and networks."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    def host(self, name: str) -> bool:
        return name.casefold().rstrip(".") in self.hosts

    def address(self, address: Address) -> bool:
        """Whether a webhook may be sent there: the address is public, or listed."""
        return within(address, self.networks) or _is_public(address)


def allowed_hosts(listed: str) -> Allowed:
    """The list as text: comma-separated. Raises ValueError naming the part that is no host, address or network."""
    hosts: set[str] = set()
    found: list[Network] = []
    for each in filter(None, (part.strip() for part in listed.split(","))):
        try:
            found.append(ip_network(each.strip("[]"), strict=False))
        except ValueError:
            name = each.casefold()
            if not _HOST.fullmatch(name) or _as_address(name):
                raise ValueError(
                    f"{each!r} is neither a host name, an address nor a network; list them as in hooks.lan, 10.0.0.7, fd00::/8"
                ) from None
            hosts.add(name.rstrip("."))
    return Allowed(frozenset(hosts), tuple(found))


def allowed_by(settings: Settings) -> Allowed:
    """What the operator allows."""
    return allowed_hosts(settings.webhook_allow)


def checked_url(url: object, allowed: Allowed, *, field: str) -> str:
    """The URL as it is kept, when a webhook may lead there as far as its text tells. What a name resolves to is checked
    when something is sent. Raises InvalidInput, code `invalid_webhook_url`."""
    if not isinstance(url, str):
        raise _invalid(field, "must be a string")
    text = url.strip(" ")
    if not 1 <= len(text) <= MAX_URL:
        raise _invalid(field, f"must have 1 to {MAX_URL} characters")
    if not text.isprintable() or " " in text or "\\" in text:
        raise _invalid(field, "must not hold spaces, backslashes or control characters")
    try:
        parts = httpx.URL(text)
        host = parts.raw_host.decode("ascii")
        str(parts).encode()
    except (httpx.InvalidURL, UnicodeError):
        raise _invalid(field, "is no URL; it looks like https://example.com/hook") from None
    if parts.scheme not in ("http", "https"):
        raise _invalid(field, "must start with http:// or https://")
    if "@" in text.partition("://")[2].partition("/")[0].partition("?")[0].partition("#")[0] or parts.userinfo:
        raise _invalid(field, "must not hold a user or password; use the webhook's secret to tell who sends")
    if "#" in text:
        raise _invalid(field, "must not hold a fragment (#…): it would not be sent")
    if parts.port is not None and not 1 <= parts.port <= 65535:
        raise _invalid(field, "must have a port from 1 to 65535")
    _check_host(host, allowed, field)
    return text


def _check_host(host: str, allowed: Allowed, field: str) -> None:
    address = _as_address(host)
    if address is None and not _HOST.fullmatch(host):
        raise _invalid(field, "must name a host, as in https://example.com/hook")
    if allowed.host(host):
        return
    name = host.rstrip(".")
    private = name.endswith(tuple(f".{each}" for each in _PRIVATE_NAMES)) or name in _PRIVATE_NAMES
    if private or (address is not None and not allowed.address(address)):
        raise _invalid(field, f"leads to {host}, which is not public; the operator can allow it with BACKCHANNEL_WEBHOOK_ALLOW")


def shown(url: str) -> str:
    """A URL for lists and logs: without its query, where tokens are often kept."""
    return url.partition("?")[0]


def _as_address(host: str) -> Address | None:
    """The address that a host is, also in the spellings of old (`0x7f.1`, `2130706433`); None when it is a name."""
    if "%" in host and ":" in host:
        return IPv6Address("::")  # a zone names an interface of this machine: not public, whatever the address
    if found := parsed(host.strip("[]")):
        return found
    try:
        return IPv4Address(socket.inet_aton(host.rstrip(".")))
    except OSError:
        return None


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address):
        if inner := _within_v6(address):
            return _is_public(inner)
        return address in _PUBLIC_V6 and not within(address, _PRIVATE_V6)
    return not within(address, _PRIVATE_V4)


def _within_v6(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 one leads to: mapped, 6to4, or through a NAT64."""
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour


def _invalid(field: str, problem: str) -> InvalidInput:
    return InvalidInput(f"{field} {problem}", field=field, code="invalid_webhook_url")
