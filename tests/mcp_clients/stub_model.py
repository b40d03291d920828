"""Stands in for the Messages API: a model that says what a script says, so that a whole turn of a client runs offline."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

Block = dict[str, Any]
Say = Callable[[dict[str, Any]], Block]
"""What the model says next, from the results of the tools it used so far, by tool."""


@dataclass
class StubModel:
    """`turns`: one for each answer. Requests without tools are the client's own errands (a title, a topic): it says ok."""

    turns: Sequence[Say]
    seen: list[dict[str, Any]] = field(default_factory=list)
    """What the client sent for each turn: the system prompt, the tools, and the messages with the tools' results."""

    def app(self) -> Starlette:
        return Starlette(routes=[
            Route("/v1/messages", self._messages, methods=["POST"]),
            Route("/v1/messages/count_tokens", _count, methods=["POST"]),
        ])  # fmt: skip

    async def _messages(self, request: Request) -> Response:
        asked = await request.json()
        block: Block = {"type": "text", "text": "ok"}
        if asked.get("tools"):
            turn = len(self.seen)
            self.seen.append(asked)
            if turn < len(self.turns):
                block = self.turns[turn](results(asked))
        message = _message(block, asked["model"], len(self.seen))
        if not asked.get("stream"):
            return JSONResponse(message)
        return StreamingResponse(_streamed(message), media_type="text/event-stream")


def use(tool: str, **arguments: Any) -> Block:
    """A call of a tool, by its whole name."""
    return {"type": "tool_use", "name": tool, "input": arguments}


def say(text: str) -> Block:
    return {"type": "text", "text": text}


def results(asked: dict[str, Any]) -> dict[str, Any]:
    """What the model is shown of each tool's answer: the text of the latest, by the tool's name."""
    blocks = [block for message in asked["messages"] if isinstance(message["content"], list) for block in message["content"]]
    names = {block["id"]: block["name"] for block in blocks if block["type"] == "tool_use"}
    return {names[block["tool_use_id"]]: _text(block["content"]) for block in blocks if block["type"] == "tool_result"}


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def _message(block: Block, model: str, number: int) -> dict[str, Any]:
    named = {**block, "id": f"toolu_{number:08}"} if block["type"] == "tool_use" else block
    return {
        "id": f"msg_{number:08}", "type": "message", "role": "assistant", "model": model, "content": [named],
        "stop_reason": "tool_use" if block["type"] == "tool_use" else "end_turn", "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }  # fmt: skip


async def _streamed(message: dict[str, Any]) -> AsyncIterator[str]:
    (block,) = message["content"]
    if block["type"] == "text":
        begun, delta = {**block, "text": ""}, {"type": "text_delta", "text": block["text"]}
    else:
        begun, delta = {**block, "input": {}}, {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
    for event in (
        {"type": "message_start", "message": {**message, "content": [], "stop_reason": None}},
        {"type": "content_block_start", "index": 0, "content_block": begun},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": message["stop_reason"], "stop_sequence": None},
            "usage": {"output_tokens": 1},
        },
        {"type": "message_stop"},
    ):
        yield f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"


async def _count(request: Request) -> Response:
    return JSONResponse({"input_tokens": 1})
