"""Resources and prompts: what a client shows its user of the bus, over both transports and in both eras."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS

from bus import Bus, NewChannel
from bus.models import Access

from .conftest import Agent, Connect, inside
from .listening import over_http, served
from .pairs import BIDI, FORGED, both_ways, pair
from .processes import environment

pytestmark = pytest.mark.anyio

TEMPLATES = {"backchannel://channels{?cursor}", "backchannel://channels/{name}", "backchannel://messages/{id}"}


async def read(client: Client, uri: str) -> dict[str, Any]:
    """The resource's JSON."""
    (content,) = (await client.read_resource(uri)).contents
    assert content.mime_type == "application/json"
    return json.loads(content.text)


async def refused(client: Client, uri: str) -> str:
    with pytest.raises(MCPError) as caught:
        await client.read_resource(uri)
    return str(caught.value)


@both_ways
async def test_resources_and_prompts_are_listed_with_what_they_are(agent: Connect, bus: Bus, transport: str, mode: str) -> None:
    """Each has a title and a description in one line; the channels are listed, the rest are templates."""
    async with pair(agent, bus, transport, mode) as (ann, _):
        (channels,) = (await ann.client.list_resources()).resources
        assert str(channels.uri) == "backchannel://channels"
        templates = (await ann.client.list_resource_templates()).resource_templates
        assert {template.uri_template for template in templates} == TEMPLATES
        prompts = {prompt.name: prompt for prompt in (await ann.client.list_prompts()).prompts}
        assert {name: [each.name for each in prompt.arguments or []] for name, prompt in prompts.items()} == {
            "work": ["channel"],
            "delegate": ["channel", "task"],
        }
        for listed in (channels, *templates, *prompts.values()):
            assert listed.title
            assert listed.description
            assert "\n" not in listed.description
        assert all(argument.description for prompt in prompts.values() for argument in prompt.arguments or [])


@both_ways
async def test_a_client_reads_channels_a_channel_and_a_message(agent: Connect, bus: Bus, transport: str, mode: str) -> None:
    """In the caller's name, in the tools' shapes, with others' text in an envelope."""
    async with pair(agent, bus, transport, mode) as (ann, bob):
        eve = await bus.credentials.verify((await bus.credentials.issue("eve")).api_key)
        await bus.channels.create(eve, NewChannel("Ops Alerts", description=FORGED + BIDI))
        posted = await ann.call("post_task", channel="ops-alerts", content=FORGED + BIDI, metadata={"n": "\u200b"})
        uri = f"backchannel://messages/{posted['message_id']}"

        channels = await read(bob.client, "backchannel://channels")
        assert channels.keys() == (await bob.call("list_channels")).keys()
        assert [each["channel"] for each in channels["channels"]] == ["ops-alerts"]
        assert inside(channels, channels["channels"][0]["description"]) == FORGED + r"\u202eevil"

        for name in ("ops-alerts", "Ops%20Alerts"):
            channel = await read(bob.client, f"backchannel://channels/{name}")
            assert (channel["channel"], channel["name"], channel["counts"]) == (
                "ops-alerts",
                "Ops Alerts",
                {"total": 1, "waiting": 1},
            )
            assert channel["owner"]["label"] == "eve"
            assert inside(channel, channel["description"]) == FORGED + r"\u202eevil"

        message = await read(bob.client, uri)
        assert inside(message, message["content"]) == FORGED + r"\u202eevil"
        assert (message["state"], message["from"]["label"], message["metadata"]) == ("waiting", "ann", {"n": r"\u200b"})
        await bob.call("claim_task", channel="ops-alerts")
        assert (await read(ann.client, uri))["holder"]["actor"] == "bob"
        await bob.call("ack_task", message_id=posted["message_id"], result=FORGED)
        done = await read(ann.client, uri)
        assert done["outcome"]["status"] == done["state"] == "done"
        assert inside(done, done["outcome"]["result"]) == FORGED
        assert done["outcome"]["from"]["label"] == "bob"


@both_ways
async def test_what_cannot_be_read_says_why(agent: Connect, bus: Bus, transport: str, mode: str) -> None:
    """The bus's sentence with its next step, and no more than a tool would tell."""
    async with pair(agent, bus, transport, mode) as (ann, _):
        eve = await bus.credentials.verify((await bus.credentials.issue("eve")).api_key)
        await bus.channels.create(eve, NewChannel("vault", access=Access.RESTRICTED, discoverable=True))
        secret = await bus.tasks.post(eve, "vault", "secret")
        await ann.call("post_task", channel="writers", content="x")
        missing = await refused(ann.client, "backchannel://channels/wrtiers")
        assert missing.startswith("channel_not_found: ")
        assert "writers" in missing
        assert "Next: " in missing
        assert (await refused(ann.client, "backchannel://messages/writers:1-0")).startswith("message_not_found: ")
        assert (await refused(ann.client, "backchannel://messages/nonsense")).startswith("message_not_found: ")
        assert (await refused(ann.client, "backchannel://channels?cursor=x")).startswith("invalid_cursor: ")
        denied = await refused(ann.client, f"backchannel://messages/{secret.message.id}")
        assert denied.startswith("channel_access_denied: ")
        assert "Unknown resource" in await refused(ann.client, "backchannel://nothing")


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_without_a_key_nothing_is_read_over_http(bus: Bus, mode: str) -> None:
    """A resource is read in the name of the request's key, like a tool is called."""
    async with served(bus) as url, over_http(url, None, mode) as stranger:
        assert (await refused(stranger.client, "backchannel://channels")).startswith("unauthorized: ")


async def test_channels_are_read_page_by_page(agent: Connect) -> None:
    """cursor goes on from next_cursor, as with list_channels."""
    async with agent("ann") as ann:
        for number in range(51):
            await ann.call("broadcast", channel=f"c{number}", content="x")
        first = await read(ann.client, "backchannel://channels")
        rest = await read(ann.client, f"backchannel://channels?cursor={first['next_cursor']}")
        assert (len(first["channels"]), [each["channel"] for each in rest["channels"]]) == (50, ["c0"])


@both_ways
async def test_a_prompt_tells_the_calls_to_make(agent: Connect, bus: Bus, transport: str, mode: str) -> None:
    """`work` makes a worker of a model, `delegate` a poster who waits and checks; both name the tools that there are."""
    async with pair(agent, bus, transport, mode) as (ann, _):
        tools = {tool.name for tool in (await ann.client.list_tools()).tools}
        for name, arguments, named in (
            ("work", {"channel": "writers"}, {"claim_task", "ack_task", "release_task", "heartbeat", "ask"}),
            ("delegate", {"channel": "writers", "task": "Say hello"}, {"post_task", "await_result", "answer"}),
        ):
            (message,) = (await ann.client.get_prompt(name, arguments)).messages
            text = message.content.text
            assert message.role == "user"
            assert named <= tools
            for word in (*named, *arguments.values()):
                assert word in text
        for name, arguments, says in (
            ("delegate", {"channel": "writers"}, "task is missing"),
            ("nothing", {}, "there is no prompt 'nothing', only work, delegate"),
        ):
            with pytest.raises(MCPError, match=says) as refused:
                await ann.client.get_prompt(name, arguments)
            assert refused.value.code == INVALID_PARAMS


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_over_real_stdio_they_are_there_too(home: Path, mode: str) -> None:
    """A process as a client starts it: its first read mints the key that it reads with."""
    command = StdioServerParameters(command=sys.executable, args=["-m", "mcp_server"], env=environment(home), cwd=home)
    async with Client(stdio_client(command), mode=mode) as client:
        assert (await read(client, "backchannel://channels"))["channels"] == []
        posted = await Agent(client, None).call("post_task", channel="writers", content="x")
        message = await read(client, f"backchannel://messages/{posted['message_id']}")
        assert inside(message, message["content"]) == "x"
        assert "writers" in (await client.get_prompt("work", {"channel": "writers"})).messages[0].content.text
