"""Posting on a channel that has a metadata_schema: checked in this process, stored only if it is still the channel's."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from ..errors import MetadataInvalid
from ..schemas import violations
from ..store import Arg
from .engine import Engine

_REMEMBERED = 1_000


class Schemas:
    """Remembers which schema a channel had last, so that the next post there needs one round trip."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._last: OrderedDict[str, tuple[str, str]] = OrderedDict()

    async def post(self, channel: str, head: tuple[Arg, ...], flat: list[str], once_key: tuple[str, ...]) -> list[Any]:
        """Run the post script, its arguments given up to and after the schema's SHA-1. Raises MetadataInvalid.

        The script has the last word on access, replays and on which schema holds; so what does not fit the schema of
        before is sent too, as not checked.
        """
        sha = ""
        if last := self._last.get(channel):
            self._last.move_to_end(channel)
            sha = "" if violations(last[1], _metadata(flat)) else last[0]
        while True:  # once more for each time that the channel's owner changes the schema in between
            reply = await self._engine.run("post", channel, *head, sha, *flat, extra_keys=once_key)
            if reply[0] != "schema":
                return reply
            sha, text = reply[1:]
            self._remember(channel, sha, text)
            if found := violations(text, _metadata(flat)):
                raise MetadataInvalid(
                    f"the metadata do not fit the schema of channel '{channel}': {found[0]['field']} {found[0]['issue']}; "
                    "nothing was stored",
                    violations=found,
                )

    def _remember(self, channel: str, sha: str, text: str) -> None:
        self._last[channel] = (sha, text)
        self._last.move_to_end(channel)
        if len(self._last) > _REMEMBERED:
            self._last.popitem(last=False)


def _metadata(flat: list[str]) -> Mapping[str, Any]:
    """As they will be stored."""
    found: dict[str, Any] = json.loads(flat[flat.index("metadata") + 1])
    return found
