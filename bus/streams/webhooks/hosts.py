"""Which hosts keep their senders waiting: they get few at a time, so that one dead receiver does not hold up the others."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

from .posting import NoAnswer, NotDelivered

_SLOW_SECONDS: Final = 30.0
_AT_ONCE_WHEN_SLOW: Final = 2
_MOST_REMEMBERED: Final = 10_000


class Hosts:
    """`now`: a clock in seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._slow_until: dict[str, float] = {}
        self._trying: Counter[str] = Counter()

    @contextmanager
    def trying(self, host: str) -> Generator[None]:
        """Around one attempt. Raises NotDelivered at once when the host gave no answer lately and others are trying it."""
        if self._now() < self._slow_until.get(host, 0.0) and self._trying[host] >= _AT_ONCE_WHEN_SLOW:
            raise NotDelivered("not tried: the host kept earlier deliveries waiting")
        self._trying[host] += 1
        try:
            yield
        except NoAnswer:
            self._remember(host)
            raise
        except NotDelivered:
            self._slow_until.pop(host, None)  # it said something, or was refused at once: it holds nobody up
            raise
        else:
            self._slow_until.pop(host, None)
        finally:
            self._trying[host] -= 1
            if not self._trying[host]:
                del self._trying[host]

    def _remember(self, host: str) -> None:
        now = self._now()
        self._slow_until[host] = now + _SLOW_SECONDS
        if len(self._slow_until) > _MOST_REMEMBERED:
            self._slow_until = {each: until for each, until in self._slow_until.items() if until > now}
