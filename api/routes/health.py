"""Whether the process runs, and whether the bus behind it answers."""

from __future__ import annotations

import asyncio
from time import perf_counter

from fastapi import Request
from starlette.responses import Response

from api import docs, examples, wire
from api.deps import bus_of
from api.replies import reply
from api.routing import public
from api.seen import seen
from bus import __version__
from bus.bus import Health
from bus.errors import StoreUnavailable

router = public("health")
API_VERSION = "1.0"
_PATIENCE_SECONDS = 0.5


@router.get(
    "/health",
    operation_id="health",
    summary="Is the process alive",
    responses={**docs.success(200, wire.HealthJson, examples.HEALTH, "It runs."), **docs.fails(keyed=False)},
)
async def health(request: Request) -> Response:
    """Always 200 while the process runs; `db_latency_ms` null while the store does not answer."""
    bus = bus_of(request)
    begun = perf_counter()
    found: Health | None = None
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            found = await bus.ping()
    except (StoreUnavailable, TimeoutError):
        pass
    took = round((perf_counter() - begun) * 1000, 3)
    return reply(
        {
            "status": "ok",
            "api_version": API_VERSION,
            "version": __version__,
            "instance_kind": "self-hosted",
            "db_latency_ms": None if found is None else took,
            "store": None if found is None else found.store,
            "notifications": None if found is None else found.notifications,
            "public_minting_enabled": bus.settings.public_minting,
            "status_url": f"{seen(request.scope).base_url}/ready",
        }
    )


@router.get(
    "/ready",
    operation_id="ready",
    summary="Can the bus be used",
    responses={**docs.success(200, wire.ReadyJson, examples.READY, "It can."), **docs.fails(keyed=False)},
)
async def ready(request: Request) -> Response:
    """200 when the store answers, else 503 `store_unavailable`."""
    found = await bus_of(request).ping()
    return reply({"status": "ready", "store": found.store, "server": found.server, "notifications": found.notifications})
