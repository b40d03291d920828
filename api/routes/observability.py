"""Numbers: of the server for Prometheus, of an API key for whoever holds it."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from api import docs
from api.deps import bus_of, caller_of
from api.examples import observability as examples
from api.metrics import Metrics
from api.replies import reply
from api.routing import keyed, public
from api.wire import observability as wire

public_router = public("observability")
router = keyed("observability")


@public_router.get("/metrics", include_in_schema=False)
async def metrics(request: Request) -> Response:
    """Prometheus's text: how many requests by route and status, and how long they took."""
    counted: Metrics = request.app.state.metrics
    text, content_type = counted.exposition(request.headers.get("accept", ""))
    return Response(text, headers={"Content-Type": content_type})


@router.get(
    "/v1/observability/metrics",
    operation_id="owned_channels",
    summary="What an API key has on the bus",
    responses={
        **docs.success(200, wire.OwnedJson, examples.OWNED, "Its channels, what stands in them, its sessions."),
        **docs.fails("insufficient_scope"),
    },
)
async def owned_channels(request: Request) -> Response:
    """How many channels the key owns, how many messages stand in them and are claimed, how many sessions it has."""
    bus, caller = bus_of(request), caller_of(request)
    totals = await bus.channels.owned(caller)
    return reply(
        {
            "key_id": caller.key_id,
            "channels_owned": totals.channels,
            "messages_in_owned_channels": totals.messages,
            "messages_claimed_in_owned_channels": totals.claimed,
            "active_sessions": len(await bus.sessions.list(caller)),
        }
    )
