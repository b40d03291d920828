"""Who a call is done for: a session's own key over stdio, the request's key over streamable HTTP."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from bus import Bus, Settings
from bus.errors import Unauthorized
from mcp_server.desk import Desk

from .conftest import Connect, inside
from .listening import over_http, served

pytestmark = pytest.mark.anyio


async def test_a_revoked_key_is_replaced_and_the_call_done(agent: Connect, bus: Bus) -> None:
    """Revoked means at once, also for a running session: its next call is done with a key of its own that is good."""
    async with agent("ann") as ann:
        await ann.call("list_channels")
        assert ann.session is not None
        before = await ann.session.who(bus)
        await bus.credentials.revoke(before.caller)
        posted = await ann.call("post_task", channel="writers", content="x")
        after = await ann.session.who(bus)
        assert after.caller.key_id != before.caller.key_id
        assert (await bus.messages.get(after.caller, posted["message_id"])).key_id == after.caller.key_id


async def test_a_key_refused_in_the_middle_of_a_call_is_replaced_once(agent: Connect, bus: Bus) -> None:
    """The key was good when the call began: the refused verb is done again with a new key, and only once more."""
    async with agent("ann") as ann:
        await ann.call("list_channels")
        assert ann.session is not None
        calls: list[str] = []

        async def always_refused(given: Any) -> str:
            calls.append(given.caller.key_id)
            await bus.credentials.revoke(given.caller)
            raise Unauthorized("this API key was revoked")

        with pytest.raises(Unauthorized):
            await Desk(bus, ann.session).act(None, always_refused)
        assert len(calls) == len(set(calls)) == 2


async def test_a_session_whose_name_is_taken_acts_under_a_longer_one(agent: Connect, bus: Bus) -> None:
    """An actor name belongs to the first key that used it; a second machine with the same label still works."""
    other = await bus.credentials.issue("elsewhere")
    await bus.actors.create(await bus.credentials.verify(other.api_key), "ann")
    async with agent("ann") as ann:
        await ann.call("post_task", channel="writers", content="x")
        await ann.call("claim_task", channel="writers")
        assert ann.session is not None
        actor = (await ann.session.who(bus)).actor
    assert actor is not None
    assert actor.startswith("ann-")


async def test_nothing_is_minted_before_the_first_call(agent: Connect, settings: Settings) -> None:
    """Starting a server and listing its tools needs no bus and leaves no trace."""
    async with agent("ann") as ann:
        await ann.client.list_tools()
        assert not settings.config_dir.exists()
        await ann.call("list_channels")
    assert (settings.config_dir / "key").exists()


async def test_an_issued_key_is_in_a_file_and_never_in_the_answer(agent: Connect, bus: Bus) -> None:
    """What a model reads ends up in transcripts: it gets the path and the id, its user the secret."""
    async with agent("ann") as ann:
        answer = await ann.client.call_tool("issue_key", {"agent_label": "build box"})
        said = answer.structured_content
        assert said is not None
        file = anyio.Path(said["stored_at"])
        issued = (await file.read_text()).strip()
        assert (await bus.credentials.verify(issued)).key_id == said["key_id"]
        assert issued.partition(".")[2] not in answer.model_dump_json()
        assert (await file.stat()).st_mode & 0o777 == 0o600
        assert (await file.parent.stat()).st_mode & 0o777 == 0o700
        assert (await ann.refused("issue_key", agent_label="build box")).startswith("label_in_use")


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_over_http_each_request_brings_its_caller(agent: Connect, bus: Bus, mode: str) -> None:
    """One stdio session and one streamable HTTP client hand work over; the HTTP side acts under its key's label."""
    issued = await bus.credentials.issue("remote")
    async with served(bus) as url, agent("ann") as ann, over_http(url, issued.api_key, mode) as remote:
        message_id = (await ann.call("post_task", channel="writers", content="x"))["message_id"]
        claimed = await remote.call("claim_task", channel="writers")
        assert "heartbeat" in claimed["next"]
        assert (await remote.call("heartbeat", message_id=message_id))["lease_expires_at"]
        await remote.call("ack_task", message_id=message_id, result="from afar")
        outcome = await ann.call("await_result", message_id=message_id)
        assert inside(outcome, outcome["result"]) == "from afar"
        assert outcome["from"] == {"label": "remote", "key_id": issued.key_id}
        refused = await remote.refused("issue_key", agent_label="another")
        assert refused.startswith("forbidden")
        assert "curl -X POST" in refused
        async with over_http(url, None, mode) as stranger:
            assert (await stranger.refused("list_channels")).startswith("unauthorized")
