"""Whether what came in is within bounds: content, metadata, results, limits. Bad input is refused with the field named."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast

from .errors import ContentTooLarge, InvalidInput

MAX_AUDITED = 500
"""Acts that one look at the audit trail shows."""
MAX_NOTE = 500
"""Characters of a note on how far the work is."""
MAX_DEPTH = 64
"""Nesting of metadata and results; Lua's cjson stops at 1,000 and clients well before."""
_LARGEST_BITS = 1023
"""Whole numbers of more are past what a double holds, or about to be."""


def content(text: object, *, max_bytes: int, field: str = "content") -> str:
    """Content as sent, not trimmed. Raises InvalidInput (blank, no string, not Unicode), ContentTooLarge."""
    if not isinstance(text, str) or not text.strip():
        raise InvalidInput(f"{field} must be a non-empty string", field=field, code="invalid_string")
    _bounded(_encoded(text, field), max_bytes, field)
    return text


def optional_text(text: object, *, field: str, max_chars: int = 2000) -> str | None:
    """A note such as a reason. Raises InvalidInput."""
    if text is None:
        return None
    if not isinstance(text, str):
        raise InvalidInput(f"{field} must be a string", field=field, code="invalid_string")
    if len(text) > max_chars:
        raise InvalidInput(f"{field} is {len(text)} characters long; at most {max_chars}", field=field, code="invalid_string")
    _encoded(text, field)
    return text


def note(text: object, *, field: str = "note") -> str:
    """How far the work is: 1..500 characters. Raises InvalidInput."""
    said = optional_text(text, field=field, max_chars=MAX_NOTE)
    if said is None or not said.strip():
        raise InvalidInput(f"{field} must be a non-empty string", field=field, code="invalid_string")
    return said


def json_text(value: object, *, max_bytes: int, field: str) -> str:
    """A JSON value as text. Raises InvalidInput (not JSON, NaN, nested too deeply), ContentTooLarge."""
    _shallow(value, field, MAX_DEPTH)
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as why:
        raise InvalidInput(f"{field} must be a JSON value: {why}", field=field, code="invalid_object") from None
    _bounded(_encoded(text, field), max_bytes, field)
    return text


def metadata_text(value: object, *, max_bytes: int, field: str = "metadata") -> str:
    """Metadata as JSON text; None counts as {}. Raises InvalidInput unless it is an object, ContentTooLarge."""
    if value is None:
        return "{}"
    if not isinstance(value, Mapping):
        raise InvalidInput(f"{field} must be a JSON object", field=field, code="invalid_object")
    return json_text(dict(cast(Mapping[str, Any], value)), max_bytes=max_bytes, field=field)


def page_limit(limit: object, *, field: str = "limit") -> int:
    """1..100. Raises InvalidInput."""
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= 100:
        raise InvalidInput(f"{field} must be a whole number from 1 to 100", field=field, code="invalid_limit")
    return limit


def audit_limit(limit: object) -> int:
    """1..500. Raises InvalidInput."""
    return whole(limit, field="limit", least=1, most=MAX_AUDITED)


def duration(value: timedelta, *, field: str, least: timedelta, most: timedelta) -> int:
    """A duration in ms. Raises InvalidInput outside its bounds."""
    if not least <= value <= most:
        bounds = f"{least.total_seconds():.0f} and {most.total_seconds():.0f}"
        raise InvalidInput(f"{field} must be between {bounds} seconds", field=field, code=f"invalid_{field}")
    return int(value.total_seconds() * 1000)


def whole(value: object, *, field: str, least: int, most: int) -> int:
    """A whole number within bounds. Raises InvalidInput."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise InvalidInput(f"{field} must be a whole number from {least} to {most}", field=field, code=f"invalid_{field}")
    return value


def idempotency_key(text: object, *, field: str = "idempotency_key") -> str | None:
    """1..200 visible ASCII characters, or None. Raises InvalidInput."""
    if text is None:
        return None
    if not isinstance(text, str) or not 1 <= len(text) <= 200 or not all("!" <= c <= "~" for c in text):
        raise InvalidInput(f"{field} must have 1 to 200 visible ASCII characters", field=field, code="invalid_idempotency_key")
    return text


def _encoded(text: str, field: str) -> int:
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        raise InvalidInput(
            f"{field} holds half a surrogate pair, which is no text", field=field, code="invalid_string"
        ) from None


def _bounded(size: int, most: int, field: str) -> None:
    if size > most:
        raise ContentTooLarge(
            f"{field} has {size} bytes; at most {most}. Send a reference to it instead",
            field=field, max_content_bytes=most, received_bytes=size,
        )  # fmt: skip


def _shallow(value: object, field: str, depth: int) -> None:
    if isinstance(value, int) and value.bit_length() > _LARGEST_BITS:
        told = f"{field} holds a number that most clients would read as infinity; send it as a string"
        raise InvalidInput(told, field=field, code="invalid_object")
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidInput(f"{field} holds {value}, which is not JSON", field=field, code="invalid_object")
    if not isinstance(value, dict | list | tuple):
        return
    if depth == 0:
        raise InvalidInput(f"{field} is nested more than {MAX_DEPTH} deep", field=field, code="invalid_object")
    inside = cast("dict[Any, Any]", value).values() if isinstance(value, dict) else cast("list[Any]", value)
    for item in inside:
        _shallow(item, field, depth - 1)
