"""How a channel does, over HTTP: counts and metrics."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from api import docs
from api.bodies.fields import ChannelPath
from api.deps import bus_of, caller_of
from api.examples import channels as examples
from api.replies import reply
from api.routing import keyed
from api.shapes import channels as shapes
from api.wire import channels as wire

router = keyed("channels")


@router.get(
    "/v1/channels/{channel}/counts",
    operation_id="counts",
    summary="Count a channel's messages",
    responses={
        **docs.success(200, wire.ChannelCountsJson, examples.COUNTS, "Exact counts."),
        **docs.fails(*docs.CHANNEL),
    },
)
async def counts(request: Request, channel: ChannelPath) -> Response:
    """How many messages are waiting, delayed, in flight, done and dead."""
    channels, caller = bus_of(request).channels, caller_of(request)
    named = await channels.get(caller, channel)
    return reply({"channel_id": named.id, **shapes.counts(await channels.counts(caller, channel))})


@router.get(
    "/v1/channels/{channel}/metrics",
    operation_id="metrics",
    summary="See how a channel does",
    responses={
        **docs.success(200, wire.ChannelMetricsJson, examples.METRICS, "Counts, and the time from claim to ack."),
        **docs.fails(*docs.CHANNEL),
    },
)
async def metrics(request: Request, channel: ChannelPath) -> Response:
    """Counts in the contract's words and ours, and how long the newest finished tasks took their holders."""
    channels, caller = bus_of(request).channels, caller_of(request)
    named = await channels.get(caller, channel)
    return reply(shapes.channel_metrics(named.id, await channels.metrics(caller, channel)))
