"""What the one pass over a request's headers found, for whoever handles the request after it."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

from bus.models import Allowance

from .hosts import Hosts, address

_SCOPE = "backchannel.seen"


@dataclass(slots=True)
class Seen:
    """Header values as sent (latin-1 text), None when absent. `api_key` is never shown.

    `client`: the address that the request comes from, past the proxies that the operator trusts; `host` and `https` are
    what the client used, as far as such a proxy says so. `head`: the request is a HEAD, which the routes see as a GET.
    `allowance`: what is left of the API key's rate limit, once the request was counted. `had_no_effect`: a success that
    changed nothing, so that a repeat under its idempotency key is a new try.
    """

    request_id: str
    hosts: Hosts
    listening: tuple[str, int | None] | None = None
    api_key: str | None = None
    bearer: str | None = None
    idempotency_key: str | None = None
    host: str | None = None
    origin: str | None = None
    https: bool = False
    client: str | None = None
    head: bool = False
    allowance: Allowance | None = None
    had_no_effect: bool = False

    @property
    def base_url(self) -> str:
        """This server's address as the client may use it."""
        host, port = self.listening or ("127.0.0.1", None)
        return self.hosts.base_url(self.host, address(host, port or 80), https=self.https)

    @property
    def own_origin(self) -> bool:
        """Whether no foreign web page sent the request."""
        return self.hosts.own_origin(self.origin, self.host)


def remember(scope: MutableMapping[str, Any], found: Seen) -> None:
    scope[_SCOPE] = found


def seen(scope: MutableMapping[str, Any]) -> Seen:
    found: Seen = scope[_SCOPE]
    return found
