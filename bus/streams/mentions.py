"""Who a message mentions: from the names its poster gave to actors that exist."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any, cast

from ..errors import ActorNotFound, InvalidInput
from ..models import Actor, Caller
from .actors import RedisActors

MOST = 50


def checked(mentions: object) -> list[str]:
    """The names as given, each once. Raises InvalidInput (code `invalid_mentions`) unless they are a list of up to 50."""
    if isinstance(mentions, str) or not isinstance(mentions, Sequence):
        raise _invalid("must be a list of actor names")
    given = list(cast(Sequence[Any], mentions))
    if len(given) > MOST:
        raise _invalid(f"may name at most {MOST} actors")
    if not all(isinstance(name, str) for name in given):
        raise _invalid("must hold actor names, which are strings")
    return list(dict.fromkeys(given))


async def resolved(actors: RedisActors, caller: Caller, given: Sequence[str]) -> str:
    """The actors of those names and aliases with their API keys, [[name, key id], …] as JSON; '' when there are none."""
    if not given:
        return ""
    found = [actor for actor in await asyncio.gather(*(_actor(actors, caller, name) for name in given)) if actor]
    pairs = {actor.name: actor.key_id for actor in found}
    return json.dumps(list(pairs.items()), ensure_ascii=False) if pairs else ""


async def _actor(actors: RedisActors, caller: Caller, name: str) -> Actor | None:
    try:
        return await actors.get(caller, name)
    except (ActorNotFound, InvalidInput):  # no such actor, or no name that one could have: nobody to tell
        return None


def _invalid(problem: str) -> InvalidInput:
    return InvalidInput(f"mentions {problem}", field="mentions", code="invalid_mentions")
