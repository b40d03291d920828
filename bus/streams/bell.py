"""Waiting: nothing polls and nothing blocks on the server; who waits is woken by the event it waits for.

One pubsub connection of the process carries keyspace notifications. A waiter (`Ear`) listens to exact Redis keys in
one of two ways. *Shared*: each event wakes every ear (a result, news on a broadcast channel). *In line*: each event
wakes one ear (work on a claimable channel), since only one can get what it announces.

No event falls between two looks: subscribe and have it confirmed, `mark`, look, and `wait(mark)`, which returns at
once if anything rang since the mark. Notifications are at-most-once, so after every re-subscription everybody is
woken, and a slow re-check covers the rest.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable

from ..errors import StoreUnavailable
from ..store import Notifications, Store

EVENTS = frozenset({"xadd", "set"})
RECHECK_SECONDS = 5.0
_BATCH = 200
Standing = tuple[object, int] | None
"""Where the ringing of a key stands: the same as before when nothing was missed and nothing rang. None: nobody listens."""


class _Topic:
    """One Redis key, and who listens to it."""

    __slots__ = ("confirmed", "line", "listeners", "seq", "shared", "timer", "timer_at")

    def __init__(self, confirmed: asyncio.Future[None]) -> None:
        self.confirmed = confirmed
        self.listeners = 0
        self.seq = 0
        self.shared: dict[Ear, None] = {}
        self.line: dict[Ear, None] = {}
        self.timer: asyncio.TimerHandle | None = None
        self.timer_at = 0.0

    def ring(self) -> None:
        self.ring_shared()
        self.ring_next()

    def ring_shared(self) -> None:
        self.seq += 1
        for ear in list(self.shared):
            ear.wake(None)

    def ring_next(self) -> None:
        """Wake the ear at the head of the line; nobody parked: whoever is looking just now sees the new number."""
        self.seq += 1
        while self.line:
            ear = next(iter(self.line))
            del self.line[ear]
            if ear.wake(self):
                return

    def ring_all(self) -> None:
        self.seq += 1
        for ear in [*self.shared, *self.line]:
            ear.wake(None)
        self.line.clear()


class Bell:
    """Who waits for what in this process. `attach` gives it the store's notifications, before anybody listens."""

    def __init__(self) -> None:
        self._topics: dict[str, _Topic] = {}
        self._ears: set[Ear] = set()
        self._notifications: Notifications | None = None
        self.drained: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def draining(self) -> bool:
        return self.drained.done()

    def attach(self, notifications: Notifications) -> None:
        self._notifications = notifications

    def heard(self, redis_key: str, event: str) -> None:
        """Something happened to a key. Other events than these (trimming, consumers made) announce nothing."""
        if event in EVENTS and (topic := self._topics.get(redis_key)):
            topic.ring()

    def lost_track(self) -> None:
        """Events may have been missed: everybody looks for themselves."""
        for topic in list(self._topics.values()):
            topic.ring_all()

    def drain(self) -> None:
        """End every wait now, and any that begins later."""
        if not self.drained.done():
            self.drained.set_result(None)
        self.lost_track()

    def listen(self, *, shared: Iterable[str] = (), in_line: Iterable[str] = ()) -> Ear:
        """A waiter on these keys; `open` it, and `close` it."""
        return Ear(self, tuple(shared), tuple(in_line))

    def hears(self, redis_keys: Iterable[str]) -> bool:
        """Whether somebody listens to all of these already, so that one more costs the server nothing."""
        return all((topic := self._topics.get(each)) is not None and topic.confirmed.done() for each in redis_keys)

    def stands(self, redis_key: str) -> Standing:
        """Take it before looking at what the key tells of."""
        topic = self._topics.get(redis_key)
        return (topic, topic.seq) if topic is not None and topic.confirmed.done() else None

    def ring_next(self, redis_key: str) -> None:
        """There is more where that came from: wake the next in line."""
        if topic := self._topics.get(redis_key):
            topic.ring_next()

    def ring_in(self, redis_key: str, seconds: float) -> None:
        """Something becomes claimable by the passing of time: wake one of the line then. The earliest time counts."""
        topic = self._topics.get(redis_key)
        if topic is None:
            return
        loop = asyncio.get_running_loop()
        at = loop.time() + max(seconds, 0.001)
        if topic.timer is not None and topic.timer_at > loop.time():
            if topic.timer_at <= at:
                return
            topic.timer.cancel()
        topic.timer_at, topic.timer = at, loop.call_at(at, topic.ring_next)

    def waiting(self) -> int:
        """How many are parked just now."""
        return len(self._ears)

    def join(self, redis_key: str) -> _Topic:
        topic = self._topics.get(redis_key)
        if topic is None:
            if self._notifications is None:
                raise RuntimeError("the bell has no notifications yet: attach() comes first")
            topic = self._topics[redis_key] = _Topic(self._notifications.watch(redis_key))
        topic.listeners += 1
        return topic

    def leave(self, redis_key: str, topic: _Topic) -> None:
        topic.listeners -= 1
        if topic.listeners == 0:
            if topic.timer is not None:
                topic.timer.cancel()
            if self._topics.get(redis_key) is topic:
                del self._topics[redis_key]
                if self._notifications is not None:
                    self._notifications.unwatch(redis_key)

    def park(self, ear: Ear) -> None:
        self._ears.add(ear)

    def unpark(self, ear: Ear) -> None:
        self._ears.discard(ear)

    async def recheck_forever(self, store: Store) -> None:
        """Cover lost notifications: every few seconds wake one of each line, and whoever's key exists."""
        while True:
            await asyncio.sleep(RECHECK_SECONDS * random.uniform(0.8, 1.2))  # noqa: S311 - jitter, not a secret
            for topic in list(self._topics.values()):
                if topic.line:
                    topic.ring_next()
            listened_to = [redis_key for redis_key, topic in self._topics.items() if topic.shared]
            for start in range(0, len(listened_to), _BATCH):
                await self._ring_existing(store, listened_to[start : start + _BATCH])

    async def _ring_existing(self, store: Store, redis_keys: list[str]) -> None:
        found = await asyncio.gather(*(store.command("EXISTS", each) for each in redis_keys), return_exceptions=True)
        for redis_key, exists in zip(redis_keys, found, strict=True):
            if isinstance(exists, BaseException):
                if not isinstance(exists, StoreUnavailable):  # then the reconnect wakes everybody
                    raise exists
            elif exists and (topic := self._topics.get(redis_key)):
                topic.ring_shared()


class Ear:
    """One waiter."""

    __slots__ = ("_bell", "_future", "_in_line", "_lines", "_shared", "_shared_topics", "_woken_by")

    def __init__(self, bell: Bell, shared: tuple[str, ...], in_line: tuple[str, ...]) -> None:
        self._bell = bell
        self._shared, self._in_line = shared, in_line
        self._shared_topics: list[_Topic] = []
        self._lines: list[_Topic] = []
        self._future: asyncio.Future[None] | None = None
        self._woken_by: _Topic | None = None

    async def open(self) -> None:
        """Subscribe; returns once the server has confirmed, or the process drains. `close` it, whatever happens."""
        try:
            for redis_key in self._shared:
                self._shared_topics.append(self._bell.join(redis_key))
            for redis_key in self._in_line:
                self._lines.append(self._bell.join(redis_key))
            for topic in (*self._shared_topics, *self._lines):
                if not topic.confirmed.done():
                    await asyncio.wait({topic.confirmed, self._bell.drained}, return_when=asyncio.FIRST_COMPLETED)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Listen no more."""
        for redis_key, topic in zip(self._shared, self._shared_topics, strict=False):
            self._bell.leave(redis_key, topic)
        for redis_key, topic in zip(self._in_line, self._lines, strict=False):
            self._bell.leave(redis_key, topic)
        self._shared_topics, self._lines = [], []

    def mark(self) -> int:
        """Where the ringing stands; take it before looking."""
        return sum(topic.seq for topic in self._shared_topics) + sum(topic.seq for topic in self._lines)

    def mark_of(self, redis_key: str) -> int:
        """The same, of one of the shared keys."""
        return self._shared_topics[self._shared.index(redis_key)].seq

    @property
    def draining(self) -> bool:
        return self._bell.draining

    def wake(self, line: _Topic | None) -> bool:
        """Called by a topic. False when this ear is not parked or is awake already."""
        if self._future is None or self._future.done():
            return False
        self._woken_by = line
        self._future.set_result(None)
        return True

    def pass_on(self) -> None:
        """This one cannot use what it was woken for: if it was its turn in a line, it is the next one's now."""
        if self._woken_by is not None:
            self._woken_by.ring_next()

    async def wait(self, mark: int, seconds: float) -> None:
        """Until something rings after `mark`, `seconds` pass, or the process drains."""
        if self._bell.draining or self.mark() != mark or seconds <= 0:
            return
        loop = asyncio.get_running_loop()
        self._future, self._woken_by = loop.create_future(), None
        for topic in self._shared_topics:
            topic.shared[self] = None
        for topic in self._lines:
            topic.line[self] = None
        self._bell.park(self)
        timer = loop.call_later(seconds, self.wake, None)
        try:
            await self._future
        except asyncio.CancelledError:
            self.pass_on()
            raise
        finally:
            timer.cancel()
            self._bell.unpark(self)
            self._future = None
            for topic in self._shared_topics:
                topic.shared.pop(self, None)
            for topic in self._lines:
                topic.line.pop(self, None)
