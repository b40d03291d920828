"""The tool that looks at one message, and reads on where an answer showed only the beginning of a long text."""

from __future__ import annotations

from typing import Annotated, Any

from mcp_types import ToolAnnotations
from pydantic import Field

from bus import Message
from bus.errors import InvalidInput
from mcp_server.arguments import MessageId
from mcp_server.desk import Ctx, desk_of
from mcp_server.previews import PIECE_CHARACTERS, piece, text_of
from mcp_server.strict import BusTool
from mcp_server.views import LookedAt, Part, ReadMessage, ReadPart


async def get_message(
    ctx: Ctx,
    message_id: MessageId,
    part: Annotated[Part | None, Field(description="Read only this, in pieces; answer: the latest")] = None,
    offset: Annotated[int, Field(ge=0)] = 0,
    length: Annotated[int, Field(ge=1, le=PIECE_CHARACTERS, description="Characters")] = PIECE_CHARACTERS,
) -> LookedAt:
    """Look at one message without waiting or taking it: content, author, and where a task stands or how it ended. Long texts
    show their beginning, and …_characters how long they are: part and offset read on."""
    desk = desk_of(ctx)
    message = await desk.act(ctx, lambda who: desk.bus.messages.get(who.caller, message_id.strip()))
    desk.memory(ctx).seen(message)
    if part is None:
        return ReadMessage.of(message)
    text = text_of(_value(message, part))
    read = piece(text, offset, length)
    end = offset + len(read)
    return ReadPart(
        text=read,
        characters=len(text),
        next=f'get_message(message_id="{message.id}", part="{part}", offset={end}) reads on'
        if read and end < len(text)
        else "that was the end of it",
    )


def _value(message: Message, part: Part) -> Any:
    """Raises InvalidInput when the message has no such part (any more)."""
    found: Any = None
    match part:
        case "content":
            found = None if message.archived else message.content
        case "metadata":
            found = None if message.archived else dict(message.metadata)
        case "result":
            found = message.outcome.result if message.outcome else None
        case "question":
            found = message.questions[-1].text if message.questions else None
        case "answer":
            found = next((each.answer for each in reversed(message.questions) if each.answer is not None), None)
    if found is None:
        raise InvalidInput(f"{message.id} has no {part} that you could read; leave part out to see what it has", field="part")
    return found


TOOLS = [
    BusTool.make(
        get_message,
        "Look at a message",
        ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=True),
    )
]
