"""Makes what other agents wrote safe to read: unseen characters are shown, free text stands in an envelope it cannot end."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, cast

from pydantic import BaseModel, PlainSerializer, SerializationInfo

# Control characters but tab and line ends, format characters (zero-width, bidi, tags), line and paragraph separators,
# surrogates, and whatever else draws nothing: fillers and variation selectors, in which text can be hidden too.
_UNSEEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5"
    r"\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb"
    r"\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
    r"|\r(?!\n)"  # alone it overwrites the line
    r"|(?<![^\ufe00-\ufe0f])[\ufe0e\ufe0f]"  # one after a character is how emoji are written
)
_LINE_ENDS = re.compile(r"[\t\r\n]")


def escape(text: str) -> str:
    r"""The text with each unseen character shown: `\u202e`, or `\U000e0041` beyond the first plane. Lines stay lines."""
    return _UNSEEN.sub(_shown, text)


def escape_line(text: str) -> str:
    """`escape` for what must stay one line."""
    return _LINE_ENDS.sub(_shown, escape(text))


def _shown(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


@dataclass(slots=True)
class Fence:
    """The envelope of one answer. Its nonce is drawn after everything inside was written, so no text can hold it."""

    nonce: str = field(default_factory=lambda: secrets.token_hex(6))
    used: bool = False

    def around(self, text: str) -> str:
        self.used = True
        return f"<<{self.nonce} {text} {self.nonce}>>"


def _fenced(value: Any, info: SerializationInfo) -> Any:
    return info.context.around(value) if isinstance(value, str) and isinstance(info.context, Fence) else value


def _fenced_text(text: str, info: SerializationInfo) -> str:
    return _fenced(text, info)


FreeText = Annotated[str, PlainSerializer(_fenced_text)]
"""Text that another agent wrote as it liked."""
FreeValue = Annotated[Any, PlainSerializer(_fenced)]
"""A JSON value that another agent wrote: text is fenced; any other value ends where JSON says."""


def readable(answer: BaseModel) -> dict[str, Any]:
    """The answer as JSON, every string in it escaped and its free text fenced; `fence` is the nonce where there is any."""
    fence = Fence()
    fields = answer.model_dump(mode="json", by_alias=True, exclude_none=True, context=fence)
    return _escaped({"fence": fence.nonce, **fields} if fence.used else fields)


def _escaped(value: Any) -> Any:
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, Mapping):
        return {escape(name): _escaped(each) for name, each in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list):
        return [_escaped(each) for each in cast("list[Any]", value)]
    return value
