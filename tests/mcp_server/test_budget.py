"""What the tools cost a model: the definitions once a session, each answer once a call. Prints its figures."""

from __future__ import annotations

import json
import warnings
from typing import Any

import jsonschema
import pytest
from mcp.client import Client

from bus import Bus
from mcp_server.server import INSTRUCTIONS, create_server

from .conftest import Agent, Connect
from .pairs import both_ways, pair

pytestmark = pytest.mark.anyio

MAX_TOKENS = 3_000
MAX_BYTES = 13_000
MAX_INSTRUCTION_BYTES = 1_500
MAX_ANSWER_CHARACTERS = 800


def compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def tokens(value: Any) -> int:
    """By the vocabulary o200k_base, of compact JSON; other vocabularies differ by some per cent."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # its way to open its own data
        bpe_openai = pytest.importorskip("bpe_openai", reason="its wheels are for Linux on x86_64")
    return len(bpe_openai.get_encoding("o200k_base").encode(compact(value)))


async def definitions(client: Client) -> list[dict[str, Any]]:
    """The tools as tools/list sends them."""
    return [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in (await client.list_tools()).tools]


async def test_the_definitions_fit_their_budget(bus: Bus, capsys: pytest.CaptureFixture[str]) -> None:
    """Names, titles, descriptions, both schemas, hints and _meta of all tools: at most 3,000 tokens; instructions 1.5 KB."""
    async with Client(create_server(bus)) as client:
        tools = await definitions(client)
        served = client.instructions or ""
    size = len(compact(tools).encode())
    assert size <= MAX_BYTES
    assert served == INSTRUCTIONS
    assert len(served.encode()) <= MAX_INSTRUCTION_BYTES
    total = tokens(tools)
    with capsys.disabled():
        print(f"\ntool definitions: {total} of {MAX_TOKENS} tokens, {size} bytes")
        print("  " + ", ".join(f"{tool['name']} {tokens(tool)}" for tool in tools))
        print(f"instructions: {len(INSTRUCTIONS.encode())} of {MAX_INSTRUCTION_BYTES} bytes")
    assert total <= MAX_TOKENS


class Tariff:
    """Calls tools, and keeps how long each answer was and whether it fits the schema that its tool declares."""

    def __init__(self, schemas: dict[str, Any]) -> None:
        self.schemas = schemas
        self.sizes: dict[str, int] = {}

    async def call(self, agent: Agent, tool: str, title: str = "", **arguments: Any) -> dict[str, Any]:
        answer = await agent.client.call_tool(tool, arguments)
        (block,) = answer.content
        assert block.type == "text"
        assert not answer.is_error, block.text
        found = answer.structured_content or {}
        jsonschema.Draft202012Validator(self.schemas[tool]).validate(found)
        assert json.loads(block.text) == found
        assert "null" not in block.text
        self.sizes[f"{tool} {title}".strip()] = len(block.text)
        return found


CONTENT = (
    "Translate docs/intro.md into French. Keep the code blocks as they are, and use vous. The file is in the repository "
    "backchannel at main. Result: the whole file as Markdown, and one line for each word you were not sure of."
)
RESULT = "# Introduction\n\nDes agents se confient du travail par des canaux nommés.\n\nUnsure: bail (lease), accusé (ack)."


@both_ways
async def test_typical_answers_are_small_and_fit_their_schemas(
    agent: Connect, bus: Bus, transport: str, mode: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A whole hand-over, with progress and a question: no answer has more than 800 characters, none repeats what was sent."""
    async with pair(agent, bus, transport, mode) as (ann, bob):
        tariff = Tariff({tool["name"]: tool["outputSchema"] for tool in await definitions(ann.client)})
        posted = await tariff.call(ann, "post_task", channel="translations", content=CONTENT, metadata={"lang": "fr"})
        task = {"message_id": posted["message_id"]}
        assert CONTENT[:20] not in json.dumps(posted)
        await tariff.call(ann, "await_result", "waiting", **task, timeout_seconds=0)
        claimed = await tariff.call(bob, "claim_task", "claimed", channel="translations")
        token = claimed["claim_token"]
        await tariff.call(bob, "claim_task", "none", channel="translations", wait_seconds=0)
        await tariff.call(bob, "heartbeat", **task, claim_token=token, progress="intro done, 2 of 3 sections")
        await tariff.call(ann, "await_result", "in flight", **task, timeout_seconds=0)
        asking = {**task, "claim_token": token}
        await tariff.call(bob, "ask", "pending", **asking, question="Formal or informal in quotations?", wait_seconds=0)
        await tariff.call(ann, "await_result", "input_required", **task)
        answered = await tariff.call(ann, "answer", **task, answer="Formal there too, please.")
        assert "please" not in json.dumps(answered)
        await tariff.call(bob, "ask", "answered", **asking)
        acked = await tariff.call(bob, "ack_task", **task, claim_token=token, result=RESULT)
        assert "Introduction" not in json.dumps(acked)
        await tariff.call(ann, "await_result", "done", **task)
        again = (await tariff.call(ann, "post_task", "again", channel="translations", content=CONTENT))["message_id"]
        await tariff.call(ann, "await_result", "of two", message_ids=[task["message_id"], again], timeout_seconds=0)
        await tariff.call(bob, "claim_task", "claimed again", channel="translations")
        await tariff.call(bob, "release_task", message_id=again, reason="not mine")
        news = await tariff.call(ann, "broadcast", channel="news", content="The French introduction is on main.")
        await tariff.call(bob, "subscribe", "one", channel="news")
        await tariff.call(bob, "subscribe", "none", channel="news", since=news["cursor"], wait_seconds=0)
        await tariff.call(bob, "list_channels")
        await tariff.call(bob, "get_channel", channel="translations")
        await tariff.call(bob, "get_message", message_id=news["message_id"])
        await tariff.call(bob, "request_access", channel="news")
    with capsys.disabled():
        print(f"\nanswers over {transport}, {mode}, in characters:")
        print("  " + ", ".join(f"{what} {size}" for what, size in tariff.sizes.items()))
    assert {what: size for what, size in tariff.sizes.items() if size > MAX_ANSWER_CHARACTERS} == {}


async def test_every_tool_s_answer_fits_its_schema(agent: Connect) -> None:
    """issue_key too, which has a file to write to over stdio only."""
    async with agent("ann") as ann:
        tariff = Tariff({tool["name"]: tool["outputSchema"] for tool in await definitions(ann.client)})
        issued = await tariff.call(ann, "issue_key", agent_label="build box")
        assert "build box" not in json.dumps(issued)
