"""Which Host names are this server's own: what it may advertise, and which web pages are its own."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from bus.settings import Settings

_LOCAL = frozenset({"localhost"})


class Hosts:
    """A name is known when an operator allowed it or it is localhost; an IP address always is.

    A hostile page can point a name of its own at this server (DNS rebinding), but it cannot make a browser send an
    address as Host that is not this server's.
    """

    def __init__(self, settings: Settings) -> None:
        allowed = {_name(host) for host in settings.allowed_hosts.split(",") if host.strip()}
        self._known = _LOCAL | allowed | {settings.host.casefold()}

    def known(self, host: str | None) -> bool:
        """Whether this Host header (with or without a port) names this server."""
        if not host:
            return False
        name = _name(host)
        return name in self._known or _is_address(name)

    def own_origin(self, origin: str | None, host: str | None) -> bool:
        """Whether a request came from no web page at all or from one of this server."""
        if origin is None:
            return True
        return self.known(host) and bool(origin) and _authority(origin) == (host or "").casefold()

    def base_url(self, host: str | None, listening: str, *, https: bool) -> str:
        """Where this server is, as the client knows it when that name is this server's, else where it listens."""
        return f"{'https' if https else 'http'}://{host if host and self.known(host) else listening}"


def address(host: str, port: int) -> str:
    """How this machine reaches a server that listens there: `127.0.0.1:8080`."""
    shown = host if host not in ("", "0.0.0.0", "::") else "127.0.0.1"  # noqa: S104  # compared, not bound
    return f"[{shown}]:{port}" if ":" in shown else f"{shown}:{port}"


def _name(host: str) -> str:
    """`Bus.example.com:8080` -> `bus.example.com`; `[::1]:8080` -> `::1`."""
    text = host.strip().casefold()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") <= 1 else text


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _authority(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.casefold()
    except ValueError:  # an Origin that is no URL, such as "http://[": nobody's
        return ""
