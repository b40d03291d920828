"""Opens a bus behind an HTTP API."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import cache

import httpx

from bus.bus import Bus, Health
from bus.settings import Settings

from .access import RemoteAccess
from .actors import RemoteActors
from .admin import RemoteAdmin
from .broadcasts import RemoteBroadcasts
from .channels import RemoteChannels
from .credentials import RemoteCredentials
from .http import Http
from .idempotency import RemoteIdempotency
from .invitations import RemoteInvitations
from .members import RemoteMembers
from .messages import RemoteMessages
from .patience import Patience
from .sessions import RemoteSessions
from .tasks import RemoteTasks
from .webhooks import RemoteWebhooks

log = logging.getLogger(__name__)
# Each wait holds a connection; an idle one is dropped before the server would (65 s in api/serving).
_LIMITS = httpx.Limits(max_connections=10_000, max_keepalive_connections=100, keepalive_expiry=30)


@asynccontextmanager
async def connect_remote(settings: Settings, *, transport: httpx.AsyncBaseTransport | None = None) -> AsyncGenerator[Bus]:
    """The bus behind `settings.base_url`. A server that is down does not fail here: its verbs raise StoreUnavailable.

    `transport`: another way to the server than the network.
    """
    where = settings.base_url
    if where is None:
        raise ValueError("BACKCHANNEL_BASE_URL is not set: there is no HTTP API to connect to")
    shown = _without_credentials(where)
    if "sandbox" in httpx.URL(where).host.casefold():
        _warn_of_sandbox(shown)
    async with httpx.AsyncClient(base_url=where, limits=_LIMITS, transport=transport) as client:
        http, patience = Http(client, shown, retry_seconds=settings.retry_seconds), Patience()
        now = Http(client, shown)

        async def ping() -> Health:
            answer = await now.get(None, "/ready")
            return answer.read(lambda body: Health("http", shown, None, body["server"], body["notifications"]))

        yield Bus(
            channels=RemoteChannels(http),
            messages=RemoteMessages(http, patience),
            tasks=RemoteTasks(http, patience),
            broadcasts=RemoteBroadcasts(http),
            webhooks=RemoteWebhooks(http),
            credentials=RemoteCredentials(http),
            actors=RemoteActors(http),
            access=RemoteAccess(http),
            members=RemoteMembers(http),
            invitations=RemoteInvitations(http),
            sessions=RemoteSessions(http),
            idempotency=RemoteIdempotency(),
            admin=RemoteAdmin(http, settings),
            settings=settings,
            ping=ping,
            drain=patience.drain,
        )


def _without_credentials(url: str) -> str:
    return str(httpx.URL(url).copy_with(userinfo=b"")).rstrip("/")


@cache  # once per process and server
def _warn_of_sandbox(where: str) -> None:
    log.warning("messages leave this machine: %s is a public sandbox that everybody shares; post nothing secret there", where)
