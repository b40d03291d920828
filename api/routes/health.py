"""Whether the process runs, and whether the bus behind it answers."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from time import perf_counter

from fastapi import Request
from starlette.responses import Response

from api import docs
from api.deps import bus_of, minting_open
from api.examples import server as examples
from api.replies import reply
from api.routing import public
from api.seen import seen
from api.shapes.moments import stamp
from api.wire import server as wire
from bus import __version__
from bus.bus import Bus, Health
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
    found = await _reached(bus)
    took = round((perf_counter() - begun) * 1000, 3)
    return reply(
        {
            "status": "ok",
            "api_version": API_VERSION,
            "version": __version__,
            "instance_kind": bus.settings.instance_kind,
            "db_latency_ms": None if found is None else took,
            "store": None if found is None else found.store,
            "notifications": None if found is None else found.notifications,
            "public_minting_enabled": bus.settings.public_minting if found is None else await minting_open(bus),
            "status_url": f"{seen(request.scope).base_url}/status",
        }
    )


@router.get(
    "/status",
    operation_id="status",
    summary="Does the bus work",
    responses={**docs.success(200, wire.StatusJson, examples.STATUS, "How it is."), **docs.fails(keyed=False)},
)
async def status(request: Request) -> Response:
    """Always 200 while the process runs; `degraded` while the store does not answer. GET /ready is 503 then."""
    bus = bus_of(request)
    works = await _reached(bus) is not None
    return reply(
        {
            "status": "operational" if works else "degraded",
            "version": __version__,
            "instance_kind": bus.settings.instance_kind,
            "updated_at": stamp(datetime.now(UTC)),
            "availability": "the store answers" if works else "the store does not answer; what needs it is 503 until it does",
            "health_url": f"{seen(request.scope).base_url}/health",
            "self_host_url": bus.settings.source_url,
        }
    )


async def _reached(bus: Bus) -> Health | None:
    """What the bus stands on, None when that does not answer soon."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            return await bus.ping()
    except (StoreUnavailable, TimeoutError):
        return None


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
