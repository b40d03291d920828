"""The tool for API keys, which never shows one: what a model reads ends up in transcripts."""

from __future__ import annotations

from mcp_types import ToolAnnotations

from bus.errors import Forbidden
from bus.keyring import keyring
from mcp_server.answers import KeyIssued
from mcp_server.desk import Ctx, desk_of
from mcp_server.strict import BusTool


async def issue_key(ctx: Ctx, agent_label: str) -> KeyIssued:
    """Mint an API key for another agent or program; this session has its own. The secret goes to a file that only this user
    can read: tell your user the path."""
    desk = desk_of(ctx)
    if desk.session is None:
        raise Forbidden(
            "over HTTP there is no file here that you could read, and a secret does not belong in a transcript; "
            """on the machine that needs the key run: curl -X POST <base>/v1/keys -d '{"agent_label": "…"}'"""
        )
    # A key of its own comes first: were this one the first of the bus, it would look as if it were the session's.
    issued = await desk.act(ctx, lambda _: desk.bus.credentials.issue(agent_label))
    path = keyring(desk.session.settings).keep_issued(issued)
    return KeyIssued(
        key_id=issued.key_id,
        stored_at=str(path),
        next="tell your user where the key is; do not read the file yourself",
    )


TOOLS = [
    BusTool.make(
        issue_key,
        "Issue an API key",
        ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=False),
    )
]
