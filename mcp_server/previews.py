"""Keeps answers short: of a long body its beginning, and how to read on."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from .peer_text import escape

WHOLE_BYTES: Final = 16_384
"""A body up to this size, as it is shown, is shown whole."""
PREVIEW_CHARACTERS: Final = 2_000
PIECE_CHARACTERS: Final = 16_384
_PIECE_BYTES: Final = 4 * PIECE_CHARACTERS
"""Unseen characters are shown as up to ten: a body full of them is read in shorter pieces."""
_LEAST_SHARE: Final = 200


@dataclass(frozen=True, slots=True)
class Preview:
    """A body or its beginning. `characters`: how many there are in all; None: nothing is missing."""

    shown: Any
    characters: int | None

    @classmethod
    def of(cls, value: Any, *, whole_bytes: int = WHOLE_BYTES, characters: int = PREVIEW_CHARACTERS) -> Preview:
        """Of text, or of a JSON value, whose beginning is then one of its JSON text."""
        text = text_of(value)
        if _shown_bytes(text, whole_bytes) <= whole_bytes:
            return cls(value, None)
        return cls(piece(text, 0, characters), len(text))


def beginning(text: str, most_bytes: int) -> str:
    """The text, or its beginning and an ellipsis: for what is short as a rule, and can be read elsewhere."""
    cut = Preview.of(text, whole_bytes=most_bytes, characters=most_bytes)
    return cut.shown if cut.characters is None else f"{cut.shown}…"


def text_of(value: Any) -> str:
    """Text as it is, any other value as its JSON text."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def piece(text: str, offset: int, length: int) -> str:
    """`length` characters from `offset`, fewer at the end, or where too many of them are shown by escapes."""
    cut = text[offset : offset + length]
    while _shown_bytes(cut, _PIECE_BYTES) > _PIECE_BYTES:
        cut = cut[: len(cut) // 2]
    return cut


def _shown_bytes(text: str, enough: int) -> int:
    """As many bytes as it takes when shown; no less than its characters, so beyond `enough` nobody counts."""
    return len(text) if len(text) > enough else len(escape(text).encode())


def share(bodies: Iterable[str], together: int = WHOLE_BYTES) -> int:
    """How many bytes of each body fit when all of them may have `together`: short ones leave their rest to long ones."""
    sizes = sorted(_shown_bytes(body, together) for body in bodies)
    left = together
    for rank, size in enumerate(sizes):
        fair = left // (len(sizes) - rank)
        if size > fair:
            return max(fair, _LEAST_SHARE)
        left -= size
    return together


def whole(message_id: str, part: str, offset: int = PREVIEW_CHARACTERS) -> str:
    """The call that reads on after `offset` characters."""
    return f'get_message(message_id="{message_id}", part="{part}", offset={offset})'
