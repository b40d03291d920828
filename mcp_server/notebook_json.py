"""A notebook as the fields of a JSON object, one for each task, so that two calls change it without losing each other's."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from itertools import islice
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from bus import names
from bus.errors import InvalidInput
from bus.models import Chain

from .notebook import Errand, Mentions, Notebook, Work

_MOST: Final = {"held": 20, "posted": 50, "lost": 20}
"""The newest so many are kept: a state has 16 KB at most."""
_CODE: Final = re.compile("[a-z_]{1,40}")
_WORK: Final = TypeAdapter(Work)
_ERRAND: Final = TypeAdapter(Errand)
_MENTIONS: Final = TypeAdapter(Mentions)
_FINISHED: Final = TypeAdapter(tuple[Chain, float])


def fields_of(notebook: Notebook) -> dict[str, Any]:
    """`held:<message id>`, `posted:…`, `lost:…`, `mentions`, `finished`. An outcome that was told is no longer of use."""
    live = {message_id: errand for message_id, errand in notebook.posted.items() if errand.news or not errand.over}
    found: dict[str, Any] = {}
    for kind, items in (("held", notebook.held), ("posted", live), ("lost", notebook.lost)):
        for message_id, item in islice(reversed(items.items()), _MOST[kind]):
            found[f"{kind}:{message_id}"] = item if isinstance(item, str) else asdict(item)
    if notebook.mentions != Mentions():
        found["mentions"] = asdict(notebook.mentions)
    if notebook.finished is not None:
        chain, at = notebook.finished
        found["finished"] = [asdict(chain), at]
    return found


def notebook_of(fields: Mapping[str, Any], now: Callable[[], float]) -> Notebook:
    """What is not as `fields_of` writes it is left out: whoever has the key can write there, and its words reach a model."""
    notebook = Notebook(now)
    for name, value in fields.items():
        kind, _, message_id = name.partition(":")
        try:
            _put(notebook, kind, message_id, value)
        except (ValidationError, InvalidInput):
            continue
    notebook.held = dict(sorted(notebook.held.items(), key=lambda item: item[1].claimed_at))
    for message_id in sorted(notebook.posted, key=_posted_at):
        notebook.posted.move_to_end(message_id)
    return notebook


def _put(notebook: Notebook, kind: str, message_id: str, value: Any) -> None:
    if kind in _MOST:
        message_id = names.message_id(*names.split_message_id(message_id))
    if kind == "held":
        notebook.held[message_id] = _WORK.validate_python(value)
    elif kind == "posted":
        notebook.posted[message_id] = _ERRAND.validate_python(value)
    elif kind == "lost" and isinstance(value, str) and _CODE.fullmatch(value):
        notebook.lost[message_id] = value
    elif kind == "finished":
        notebook.finished = _FINISHED.validate_python(value)
    elif kind == "mentions":
        mentions = _MENTIONS.validate_python(value)
        if mentions.untold:
            mentions.latest = names.message_id(*names.split_message_id(mentions.latest))
        notebook.mentions = mentions


def _posted_at(message_id: str) -> tuple[int, int]:
    milliseconds, _, number = message_id.rpartition(":")[2].partition("-")
    return int(milliseconds), int(number)
