"""Which Host names are this server's own: what it may advertise, and which web pages are its own."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from bus.addresses import parsed
from bus.settings import Settings

_LOCAL = frozenset({"localhost"})
_HOST = re.compile(r"(?:\[(?P<bracketed>[0-9a-f:.]+)\]|(?P<name>[a-z0-9._-]+))(?P<port>:[0-9]{1,5})?")


class Hosts:
    """A name is known when an operator allowed it or it is localhost; an IP address always is.

    A hostile page can point a name of its own at this server (DNS rebinding), but it cannot make a browser send an
    address as Host that is not this server's.
    """

    def __init__(self, settings: Settings) -> None:
        listed = [host.strip().casefold() for host in settings.allowed_hosts.split(",") if host.strip()]
        self._first = listed[0] if listed else None
        self.advertised = _shown(settings.base_url) if settings.base_url else None
        """The base URL that the operator set, None when there is none. What a client must not see of it is left out."""
        base = [_authority(self.advertised)] if self.advertised else []
        self._pages = frozenset([*listed, *base])
        self._known = _LOCAL | {_name(host) or host for host in self._pages} | {settings.host.casefold()}

    def known(self, host: str | None) -> bool:
        """Whether this Host header (with or without a port) names this server."""
        name = _name(host or "")
        return name is not None and (name in self._known or parsed(name) is not None)

    def own_origin(self, origin: str | None, host: str | None) -> bool:
        """Whether a request came from no web page, from one of this server, or from one that the operator allowed."""
        return (
            origin is None or self.allowed_page(origin) or (self.known(host) and _authority(origin) == (host or "").casefold())
        )

    def allowed_page(self, origin: str | None) -> bool:
        """Whether the operator listed the page's host as it stands in its Origin, with its port if that shows one."""
        return bool(origin) and _authority(origin or "") in self._pages

    def base_url(self, host: str | None, listening: str, *, https: bool) -> str:
        """Where this server is: as its operator says, else as the client knows it when that name is this server's, else
        the first name that the operator allowed, else where it listens."""
        if self.advertised:
            return self.advertised
        authority = host if host and self.known(host) else self._first or listening
        return f"{'https' if https else 'http'}://{authority}"


def address(host: str, port: int) -> str:
    """How this machine reaches a server that listens there: `127.0.0.1:8080`."""
    shown = host if host not in ("", "0.0.0.0", "::") else "127.0.0.1"  # noqa: S104  # compared, not bound
    return f"[{shown}]:{port}" if ":" in shown else f"{shown}:{port}"


def _name(host: str) -> str | None:
    """`Bus.example.com:8080` -> `bus.example.com`; `[::1]:8080` -> `::1`; None: no Host that a client would send."""
    found = _HOST.fullmatch(host.casefold())
    return (found["bracketed"] or found["name"]) if found else None


def _shown(base_url: str) -> str:
    """`https://me:secret@bus.example.com/b` -> `https://bus.example.com/b`."""
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _authority(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.casefold()
    except ValueError:  # an Origin that is no URL, such as "http://[": nobody's
        return ""
