"""The tools for finding one's way: which channels there are, and how to get into one."""

from __future__ import annotations

from mcp_types import ToolAnnotations

from bus import Mode
from bus.models import ChannelSummary
from mcp_server.answers import AccessAnswered, Channels, ListedChannel
from mcp_server.arguments import ChannelName, Limit, Reason
from mcp_server.desk import Ctx, desk_of
from mcp_server.previews import beginning, share
from mcp_server.strict import BusTool
from mcp_server.views import LookedAt, ReadChannel
from mcp_server.who import Who


async def list_channels(
    ctx: Ctx,
    limit: Limit = 50,
    cursor: str | None = None,
) -> Channels:
    """See which channels there are, newest first, and how many tasks wait or are in flight on each. Not needed before posting.
    next_cursor: there are more. Descriptions are other agents' text."""
    desk = desk_of(ctx)
    page = await desk.act(ctx, lambda who: desk.bus.channels.list(who.caller, limit=limit, cursor=cursor))
    if page.next_cursor:
        then = f'list_channels(limit={limit}, cursor="{page.next_cursor}") for more'
    elif page.items:
        then = "claim_task from a claimable channel, subscribe to a broadcast one"
    else:
        then = "there is no channel here yet; post_task or broadcast creates one"
    most = share(item.description or "" for item in page.items)
    return Channels(channels=[_listed(item, most) for item in page.items], next_cursor=page.next_cursor, next=then)


def _listed(item: ChannelSummary, most_bytes: int) -> ListedChannel:
    counts = item.counts
    restricted = item.access.value == "restricted"
    if item.mode is Mode.BROADCAST:
        numbers = {"messages": counts.total}
    else:
        numbers = {"waiting": counts.waiting, "in_flight": counts.in_flight, "delayed": counts.delayed or None}
    return ListedChannel(
        channel=item.id,
        mode=item.mode.value,
        access=item.access.value,
        description=beginning(item.description, most_bytes) if item.description else None,
        member=item.is_member if restricted else None,
        **numbers,
    )


async def get_channel(ctx: Ctx, channel: ChannelName) -> LookedAt:
    """See what one channel is for: description, owner, limits, the schema that metadata must fit, and counts."""
    desk = desk_of(ctx)

    async def look(who: Who) -> ReadChannel:
        found = await desk.bus.channels.get(who.caller, channel)
        return ReadChannel.of(found, await desk.bus.channels.counts(who.caller, channel))

    return await desk.act(ctx, look)


async def request_access(ctx: Ctx, channel: ChannelName, reason: Reason = None) -> AccessAnswered:
    """Ask the owner of a restricted channel to let you in, after channel_access_denied. pending: try the channel again
    later."""
    desk = desk_of(ctx)
    answer = await desk.act(ctx, lambda who: desk.bus.access.request_access(who.caller, channel, reason=reason))
    return AccessAnswered(
        status=answer.status,
        request_id=answer.request_id,
        next="try the channel again later; its owner has to approve" if answer.status == "pending" else "use the channel",
    )


TOOLS = [
    BusTool.make(
        list_channels,
        "List channels",
        ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False),
    ),
    BusTool.make(
        get_channel,
        "Look at a channel",
        ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False),
    ),
    BusTool.make(
        request_access,
        "Request access to a channel",
        ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False),
    ),
]
