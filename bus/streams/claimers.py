"""Who waits for a task: a claim that waits says so, for whoever posts one meanwhile, and takes itself out at its end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from ..messages import NO_WAIT
from .engine import Engine

log = logging.getLogger(__name__)
LOOK_AGAIN: Final = 45.0
"""Seconds after which a wait looks, and so announces itself, again."""
_ANNOUNCED: Final = 60.0
"""Seconds that a crashed waiter is still counted, at most (and the slack)."""
_SLACK: Final = 2.0


@dataclass(slots=True)
class _Place:
    """An actor's waits on one channel in this process, and how many looks may have announced them since nothing stood."""

    waits: int = 0
    announced: int = 0


class Claimers:
    """Counts by actor, so exact where an actor waits in one process. Where it does in several, the end of one wait takes the
    others out until they look next: at once when that end was a task, for all of them are woken by it, else within 45 s.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._places: dict[tuple[str, str], _Place] = {}

    @contextmanager
    def waiting(self, channels: Sequence[str], consumer: str, wait: timedelta) -> Generator[Waiting | None]:
        """For the time of a claim; None where it does not wait."""
        if wait <= NO_WAIT:
            yield None
            return
        places = {channel: self._places.setdefault((channel, consumer), _Place()) for channel in channels}
        for place in places.values():
            place.waits += 1
        try:
            yield Waiting(places, asyncio.get_running_loop().time() + wait.total_seconds())
        finally:
            for channel, place in places.items():
                place.waits -= 1
                if not place.waits:
                    del self._places[channel, consumer]
                    if place.announced:
                        self._take_out(channel, consumer)

    def _take_out(self, channel: str, consumer: str) -> None:
        """Sent after what announced it, and not waited for: the caller may be gone, and what is not taken out fades."""
        sent = self._engine.store.command("ZREM", self._engine.keys.claimers(channel), consumer)
        sent.add_done_callback(_log_failure)


class Waiting:
    """A wait of one actor: `sends` before each look says what the script is told, `got` after it that there was a task."""

    def __init__(self, places: dict[str, _Place], deadline: float) -> None:
        self._places = places
        self._deadline = deadline
        self._sent = (0, 0)

    def sends(self, channel: str) -> tuple[int, int]:
        """For how many ms to announce the wait if there is no task (0: it is over), and 1 if to take it out should there be
        one: not while another wait of this actor goes on here."""
        place = self._places[channel]
        leaves = int(place.announced > 0 and place.waits == 1)
        left = self._deadline - asyncio.get_running_loop().time()
        if left > 0:
            place.announced += 1
        self._sent = (place.announced, leaves)
        return (int((min(left, _ANNOUNCED) + _SLACK) * 1000) if left > 0 else 0), leaves

    def got(self, channel: str) -> None:
        """Then nothing of this actor stands there, unless another look was sent meanwhile or stood before."""
        place = self._places[channel]
        announced, leaves = self._sent
        if place.announced == announced and (leaves or announced == 1):
            place.announced = 0


def _log_failure(sent: asyncio.Future[Any]) -> None:
    if not sent.cancelled() and (error := sent.exception()):
        log.debug("a claim that waits no more is counted for up to a minute: %s", error)
