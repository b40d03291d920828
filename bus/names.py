"""What things may be called: channel names, actor names, message ids, cursors."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from urllib.parse import quote, unquote_to_bytes

from .errors import InvalidInput

MAX_NAME = 200
_SPACES = re.compile(r"\s+")
# Redis takes numbers up to 2^64-1, and an exclusive range ends with an error at the very last one.
_STREAM_ID = re.compile(r"[0-9]{1,18}-[0-9]{1,18}")
_ESCAPES = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
# What a client that puts an id into a path as it is would have taken for something else.
_NOT_FOR_A_PATH = re.compile(r"[?#%\\]|^\.{1,2}$")
# Names that are what they will be: nearly all are, and Unicode's rules take longer than a claim's own work.
_PLAIN_CHANNEL = re.compile(r"[a-z0-9._-]{1,200}")
_PLAIN_ACTOR = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
# Cc control, Cf format (zero-width, bidi, soft hyphen, tags), Cs surrogates, Co private use, Zl/Zp separators.
_REFUSED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def _bad_characters(text: str) -> str:
    return ", ".join(sorted({f"U+{ord(c):04X}" for c in text if unicodedata.category(c) in _REFUSED}))


def _name(text: object, *, field: str, code: str) -> str:
    if not isinstance(text, str):
        raise InvalidInput(f"{field} must be a string", field=field, code="invalid_string")
    trimmed = text.strip()
    if not trimmed:
        raise InvalidInput(f"{field} must not be empty", field=field, code="invalid_string")
    if bad := _bad_characters(trimmed):
        raise InvalidInput(
            f"{field} holds control, zero-width or bidirectional characters ({bad}); remove them", field=field, code=code
        )
    if len(trimmed) > MAX_NAME:
        raise InvalidInput(f"{field} is {len(trimmed)} characters long; at most {MAX_NAME}", field=field, code=code)
    return trimmed


def channel_id(name: object, *, field: str = "channel") -> str:
    """The canonical name of a channel: NFKC, case-folded, trimmed, runs of spaces to `-`, 1..200 characters.

    "Ops Alerts" and "ops-alerts" are one channel. Braces are refused because the name is the hash tag of the
    channel's Redis keys, and `/` because it is one segment of a URL. Percent-escapes, as ids may hold them, stand for
    what they encode. Raises InvalidInput.
    """
    if isinstance(name, str) and _PLAIN_CHANNEL.fullmatch(name):
        return name
    if isinstance(name, str) and "%" in name:
        name = _ESCAPES.sub(_unescaped, name)
    shown = _name(name, field=field, code="invalid_channel_name")
    # Case-folding can undo a normalisation and the other way round; twice is a fixed point (Unicode 3.13, D146).
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", shown).casefold())
    canonical = _SPACES.sub("-", folded.strip())
    if bad := _bad_characters(canonical) or "".join(sorted(set(canonical) & set("{}/"))):
        raise InvalidInput(f"{field} must not hold {bad}", field=field, code="invalid_channel_name")
    if not 1 <= len(canonical) <= MAX_NAME:
        raise InvalidInput(f"{field} must have 1 to {MAX_NAME} characters", field=field, code="invalid_channel_name")
    if "%" in canonical and _ESCAPES.sub(_unescaped, canonical) != canonical:
        return channel_id(canonical, field=field)
    return canonical


def _unescaped(escapes: re.Match[str]) -> str:
    try:
        return unquote_to_bytes(escapes[0]).decode()
    except UnicodeDecodeError:  # no text that was escaped, but a name with per cents in it
        return escapes[0]


def public_id(channel: str) -> str:
    """A channel's id as it is shown: its canonical name, with escapes for what a path would not carry as it is."""
    return _NOT_FOR_A_PATH.sub(lambda found: "".join(f"%{ord(c):02x}" for c in found[0]), channel)


def actor_name(name: object, *, field: str = "actor") -> str:
    """An actor's name as kept: NFKC, trimmed, case kept, 1..200 characters; `_` is reserved for nobody. Raises InvalidInput."""
    if isinstance(name, str) and _PLAIN_ACTOR.fullmatch(name):
        return name
    canonical = unicodedata.normalize("NFKC", _name(name, field=field, code="invalid_actor_name")).strip()
    if canonical == "_" or not canonical or len(canonical) > MAX_NAME:
        raise InvalidInput(
            f"{field} must have 1 to {MAX_NAME} characters and not be '_'", field=field, code="invalid_actor_name"
        )
    return canonical


def label(text: object, *, field: str = "actor_label") -> str:
    """Free text by which an agent signs: 1..128 characters after trimming; longer ones are cut. Raises InvalidInput."""
    if isinstance(text, str) and len(text) > MAX_NAME:
        text = text[:MAX_NAME]
    return _name(text, field=field, code="invalid_string")[:128].strip()


def message_id(channel: str, stream_id: str) -> str:
    """`writers` and `1795361503332-0` make `writers:1795361503332-0`.

    Visible ASCII, whatever the channel's name: clients put message ids into headers.
    """
    if not _PLAIN_CHANNEL.fullmatch(channel):
        channel = quote(public_id(channel), safe="!$&'()*+,;=:@~%").lower()
    return f"{channel}:{stream_id}"


def split_message_id(text: object, *, field: str = "message_id") -> tuple[str, str]:
    """`writers:1795361503332-0` -> (`writers`, `1795361503332-0`). Raises InvalidInput when it is no message id."""
    if isinstance(text, str):
        channel, _, stream_id = text.strip().rpartition(":")
        if channel and _STREAM_ID.fullmatch(stream_id):
            return channel_id(channel, field=field), stream_id
    raise InvalidInput(
        f"{field} must look like 'writers:1795361503332-0' (the id that posting returned)",
        field=field,
        code="invalid_message_id",
    )


def stream_cursor(text: object, *, field: str = "since") -> tuple[str, int | None]:
    """Where to read on from, exclusive: (stream id, the message's running number when the cursor carries it).

    Takes `next_cursor` as we gave it (`1795361503332-0` or `1795361503332-0~57`), a message id, `0` or the empty
    string for the start, or an ISO 8601 timestamp (naive means UTC). Raises InvalidInput for anything else.
    """
    given = str(text).strip() if isinstance(text, str | int) and not isinstance(text, bool) else None
    if given in ("", "0"):
        return "0-0", None
    if given is not None:
        position, _, number = given.rpartition(":")[2].partition("~") if _looks_like_id(given) else (given, "", "")
        if _STREAM_ID.fullmatch(position):
            return position, int(number) if number.isdecimal() and len(number) < 20 else None
        if moment := timestamp(given):
            return f"{max(int(moment.timestamp() * 1000), 0)}-0", None
    raise InvalidInput(
        f"{field} must be a next_cursor this server gave, '0', or an ISO 8601 timestamp", field=field, code="invalid_cursor"
    )


def newest_first_cursor(text: str | None, *, field: str) -> str:
    """`stream_cursor` for a list that runs from the newest on: the id to go on before, '' to begin. Raises InvalidInput."""
    position = "0-0" if text is None else stream_cursor(text, field=field)[0]
    return "" if position == "0-0" else position


def _looks_like_id(text: str) -> bool:
    return bool(_STREAM_ID.fullmatch(text.rpartition(":")[2].partition("~")[0]))


def timestamp(text: str) -> datetime | None:
    """An ISO 8601 timestamp, naive meaning UTC and a space meaning the + that a query lost; None when it is none."""
    if text.isdecimal():  # Python reads almost any row of digits as some moment of the first millennium
        return None
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
