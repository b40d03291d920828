"""Who a request comes from, and how they came, when it passed proxies that the operator trusts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from bus.addresses import Address, parsed, within
from bus.settings import Settings


@dataclass(frozen=True, slots=True)
class Forwarded:
    """What trusted proxies say of a request: the client's address, and None for what they do not say."""

    client: str
    https: bool | None
    host: str | None


class Proxies:
    """The peers whose X-Forwarded-* headers count (BACKCHANNEL_TRUSTED_PROXIES). What anybody else sends in them is noise."""

    def __init__(self, settings: Settings) -> None:
        self._trusted = settings.trusted_networks
        # Every request asks, and most come from a few peers.
        self._trusts = lru_cache(maxsize=1024)(self._look_up)

    def trusts(self, peer: str) -> bool:
        return bool(self._trusted) and self._trusts(peer)

    def _look_up(self, peer: str) -> bool:
        address = parsed(peer)
        return address is not None and within(address, self._trusted)

    def forwarded(self, peer: str, headers: Iterable[tuple[bytes, bytes]]) -> Forwarded:
        """What the headers of a request from a trusted peer say.

        Of several values of X-Forwarded-Proto or -Host the last counts: the peer wrote it, the others may be the client's.
        """
        found: dict[bytes, list[str]] = {}
        for name, value in headers:
            if name.startswith(b"x-forwarded-"):
                found.setdefault(name, []).extend(part.strip() for part in value.decode("latin-1").split(","))
        proto = _last(found.get(b"x-forwarded-proto"))
        return Forwarded(
            client=self._client(peer, found.get(b"x-forwarded-for", ())),
            https=None if proto is None else proto.casefold() == "https",
            host=_last(found.get(b"x-forwarded-host")),
        )

    def _client(self, peer: str, hops: Sequence[str]) -> str:
        """The first address that is no trusted proxy, from the nearest hop on; what is no address ends the walk."""
        client = source(peer)
        for hop in reversed(hops):
            address = _address(hop)
            if address is None:
                break
            client = str(address)
            if not within(address, self._trusted):
                break
        return client


def source(peer: str) -> str:
    """A peer's address in one spelling: an IPv4 client of a socket that also speaks IPv6 is the same client."""
    return str(parsed(peer) or peer) if ":" in peer else peer


def _address(hop: str) -> Address | None:
    """`192.0.2.7`, `192.0.2.7:4711`, `2001:db8::7`, `[2001:db8::7]:4711`."""
    if hop.startswith("["):
        host, closed, port = hop[1:].partition("]")
        return parsed(host) if closed and _is_port(port) else None
    host, colon, port = hop.partition(":")
    return parsed(host) if not colon or ("." in host and _is_port(colon + port)) else parsed(hop)


def _is_port(text: str) -> bool:
    return not text or (text[0] == ":" and text[1:].isascii() and text[1:].isdigit())


def _last(values: Sequence[str] | None) -> str | None:
    return (values[-1] or None) if values else None
