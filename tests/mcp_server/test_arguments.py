"""Bad arguments of every kind: a clear error that names the argument, and nothing stored."""

from __future__ import annotations

from typing import Any

import pytest

from bus import Bus

from .conftest import Connect, inside

pytestmark = pytest.mark.anyio

TASK = {"channel": "writers", "content": "x"}
BAD: list[tuple[str, dict[str, Any], str, str]] = [
    ("post_task", {"content": "x"}, "invalid_arguments", "channel is missing"),
    ("post_task", {**TASK, "chanel": "y"}, "invalid_arguments", "no argument chanel (did you mean channel?)"),
    ("post_task", {**TASK, "zzzzz": 1}, "invalid_arguments", "no argument zzzzz (it takes actor_label, channel"),
    ("post_task", {"channel": 7, "content": "x"}, "invalid_arguments", "channel: input should be a valid string"),
    ("post_task", {"channel": ["a"], "content": "x"}, "invalid_arguments", "channel"),
    ("post_task", {"channel": "", "content": "x"}, "", "channel must not be empty"),
    ("post_task", {"channel": "a{b}", "content": "x"}, "invalid_channel_name", "channel must not hold {}"),
    ("post_task", {"channel": "a\u200bb", "content": "x"}, "invalid_channel_name", "U+200B"),
    ("post_task", {"channel": "n" * 201, "content": "x"}, "invalid_channel_name", "201"),
    ("post_task", {"channel": "writers", "content": None}, "invalid_arguments", "content"),
    ("post_task", {"channel": "writers", "content": {"a": 1}}, "invalid_arguments", "content"),
    ("post_task", {"channel": "writers", "content": ""}, "", "content"),
    ("post_task", {"channel": "writers", "content": "x" * 65_537}, "content_too_large", "content"),
    ("post_task", {**TASK, "metadata": "no object"}, "invalid_arguments", "metadata"),
    ("post_task", {**TASK, "metadata": [1]}, "invalid_arguments", "metadata"),
    ("post_task", {**TASK, "metadata": {"k": "x" * 20_000}}, "content_too_large", "metadata"),
    ("post_task", {**TASK, "delay_seconds": -1}, "invalid_arguments", "delay_seconds"),
    ("post_task", {**TASK, "delay_seconds": 1e12}, "invalid_arguments", "delay_seconds"),
    ("post_task", {**TASK, "delay_seconds": "soon"}, "invalid_arguments", "delay_seconds"),
    ("post_task", {**TASK, "actor_label": " "}, "invalid_string", "actor_label"),
    ("post_task", {**TASK, "idempotency_key": ""}, "", "idempotency"),
    ("claim_task", {}, "invalid_field", "channel is missing"),
    ("claim_task", {"channel": "writers", "wait_seconds": 3601}, "invalid_arguments", "wait_seconds"),
    ("claim_task", {"channel": "writers", "lease_seconds": 0}, "invalid_arguments", "lease_seconds"),
    ("claim_task", {"channel": "writers", "lease_seconds": 86_401}, "invalid_arguments", "lease_seconds"),
    ("claim_task", {"channels": ["c"] * 21}, "invalid_arguments", "channels"),
    ("claim_task", {"channel": "writers", "actor": "_"}, "invalid_actor_name", "actor"),
    ("await_result", {"message_id": "17"}, "invalid_message_id", "message_id"),
    ("await_result", {"message_id": "writers:1-0", "channel": "readers"}, "invalid_field", "leave channel out"),
    ("await_result", {"message_id": "writers:1-0", "timeout_seconds": -1}, "invalid_arguments", "timeout_seconds"),
    ("await_result", {"message_id": "writers:1-0"}, "", "Next: "),
    ("await_result", {}, "invalid_field", "message_id is missing"),
    ("await_result", {"message_ids": []}, "invalid_field", "message_id is missing"),
    ("await_result", {"message_ids": ["writers:1-0"] * 51}, "invalid_arguments", "message_ids"),
    ("await_result", {"message_ids": ["17"]}, "invalid_message_id", "message_id"),
    ("await_result", {"message_ids": ["writers:1-0"], "need": "most"}, "invalid_arguments", "need"),
    ("post_task", {**TASK, "parent": "17"}, "invalid_field", "parent: "),
    ("post_task", {**TASK, "parent": "writers:1-0"}, "invalid_field", "parent: channel"),
    ("ack_task", {"message_id": "nonsense"}, "invalid_message_id", "message_id"),
    ("ack_task", {"message_id": "writers:1-0", "status": "ok"}, "invalid_arguments", "status"),
    ("ack_task", {"message_id": "writers:1-0"}, "result_missing", "or status failed with a reason"),
    ("ack_task", {"message_id": "writers:1-0", "result": None}, "result_missing", "result is missing"),
    ("ack_task", {"message_id": "writers:1-0", "result": " "}, "result_missing", "result is missing"),
    ("ack_task", {"message_id": "writers:1-0", "status": "failed"}, "reason_missing", "say why"),
    ("ack_task", {"message_id": "writers:1-0", "status": "failed", "reason": " "}, "reason_missing", "say why"),
    ("ack_task", {"message_id": "writers:1-0", "result": 0}, "", "Next: "),
    ("release_task", {"message_id": ""}, "invalid_message_id", "message_id"),
    ("heartbeat", {"message_id": "writers:1-0", "lease_seconds": 0.5}, "invalid_arguments", "lease_seconds"),
    ("heartbeat", {"message_id": "writers:1-0", "progress": 3}, "invalid_arguments", "progress"),
    ("heartbeat", {"message_id": "writers:1-0", "progress": " "}, "invalid_string", "note must be"),
    ("heartbeat", {"message_id": "writers:1-0", "progress": "x" * 501}, "invalid_string", "500"),
    ("ask", {"message_id": "writers:1-0", "question": ""}, "", "question"),
    ("ask", {"message_id": "writers:1-0", "question": "x", "wait_seconds": 3601}, "invalid_arguments", "wait_seconds"),
    ("ask", {"message_id": "writers:1-0"}, "", "Next: "),
    ("answer", {"message_id": "writers:1-0"}, "invalid_arguments", "answer is missing"),
    ("answer", {"message_id": "writers:1-0", "answer": " "}, "", "answer"),
    ("answer", {"message_id": "writers:1-0", "answer": "x"}, "message_not_found", "no such message"),
    ("get_message", {"message_id": "nonsense"}, "message_not_found", "must look like"),
    ("get_message", {"message_id": "writers:1-0", "part": "all"}, "invalid_arguments", "part"),
    ("get_message", {"message_id": "writers:1-0", "offset": -1}, "invalid_arguments", "offset"),
    ("get_message", {"message_id": "writers:1-0", "length": 16_385}, "invalid_arguments", "length"),
    ("get_channel", {"channel": "wrtiers"}, "channel_not_found", "writers"),
    ("broadcast", {"channel": "writers"}, "invalid_arguments", "content is missing"),
    ("subscribe", {"channel": "writers", "since": "yesterday"}, "invalid_cursor", "since"),
    ("subscribe", {"channel": "writers", "limit": 0}, "invalid_arguments", "limit"),
    ("subscribe", {"channel": "writers", "limit": 101}, "invalid_arguments", "limit"),
    ("list_channels", {"limit": "many"}, "invalid_arguments", "limit"),
    ("request_access", {"channel": "nowhere-at-all"}, "channel_not_found", "nowhere-at-all"),
    ("issue_key", {"agent_label": ""}, "invalid_string", "agent_label"),
]


@pytest.mark.parametrize(("tool", "arguments", "code", "says"), BAD, ids=[f"{bad[0]}: {bad[3][:40]}" for bad in BAD])
async def test_bad_input_is_refused_with_its_field_and_a_next_step(
    agent: Connect, tool: str, arguments: dict[str, Any], code: str, says: str
) -> None:
    """Never a stack trace, never a half-done call: code, field, what to do."""
    async with agent() as ann:
        await ann.call("post_task", channel="writers", content="the only task")
        error = await ann.refused(tool, **arguments)
        assert error.startswith(code)
        assert says in error
        assert "Next: " in error
        assert "pydantic" not in error
        assert "Error executing" not in error
        assert len(error) < 600
        channels = (await ann.call("list_channels"))["channels"]
    assert [(found["channel"], found["waiting"]) for found in channels] == [("writers", 1)]


@pytest.mark.parametrize("content", ['{"a": 1}', "[1, 2]", "null", "17", '"quoted"', "  kept  "])
async def test_text_that_looks_like_json_stays_text(agent: Connect, bus: Bus, content: str) -> None:
    """Content and results are stored as sent: a string that happens to be JSON is not read as JSON."""
    async with agent() as ann:
        posted = await ann.call("post_task", channel="writers", content=content)
        claimed = await ann.call("claim_task", channel="writers")
        assert inside(claimed, claimed["task"]["content"]) == content
        await ann.call("ack_task", message_id=posted["message_id"], result=content, reason=content)
        outcome = await ann.call("await_result", message_id=posted["message_id"])
        assert inside(outcome, outcome["result"]) == content


async def test_objects_sent_as_json_text_are_understood(agent: Connect) -> None:
    """Some clients send objects and lists as text: where no text is meant, that is what they are."""
    async with agent() as ann:
        await ann.call("post_task", channel="writers", content="x", metadata='{"lang": "fr"}')
        claimed = await ann.call("claim_task", channels='["nowhere", "writers"]'.replace("nowhere", "writers"))
    assert claimed["task"]["metadata"] == {"lang": "fr"}
