"""Notifications of a cluster's keys: each is told of by the node that owns it, and only there, so watching moves with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

from redis.crc import key_slot

from . import Heard
from .cluster_node import Node

_PERHAPS: Final = "set"
"""Any event that everybody who waits looks at."""


class _Watched:
    __slots__ = ("node", "slot", "waiting")

    def __init__(self, redis_key: str) -> None:
        self.slot = key_slot(redis_key.encode())
        self.node: Node | None = None
        self.waiting: set[asyncio.Future[None]] = set()


class ClusterWatch:
    """`Notifications` over the nodes' own. A key that no node owns just now is watched as soon as one does."""

    def __init__(self, node_of: Callable[[int], Node | None], heard: Heard) -> None:
        """`node_of`: who owns a slot."""
        self._loop = asyncio.get_running_loop()
        self._node_of = node_of
        self._heard = heard
        self._watched: dict[str, _Watched] = {}

    def watch(self, redis_key: str) -> asyncio.Future[None]:
        future: asyncio.Future[None] = self._loop.create_future()
        watched = self._watched.get(redis_key)
        if watched is None:
            watched = self._watched[redis_key] = _Watched(redis_key)
        watched.waiting.add(future)
        self._at(redis_key, watched, watched.node or self._node_of(watched.slot))
        return future

    def unwatch(self, redis_key: str) -> None:
        watched = self._watched.pop(redis_key, None)
        if watched is None:
            return
        if watched.node is not None:
            watched.node.subscriptions.unwatch(redis_key)
        _release(watched)

    def follow(self) -> None:
        """The map of slots has changed: watch each key where it is now. Once that is confirmed, whoever waits for the key
        looks for themselves, for nobody heard what happened in between."""
        for redis_key, watched in self._watched.items():
            node, before = self._node_of(watched.slot), watched.node
            if node is not None and node is not before:
                self._at(redis_key, watched, node, moved=before is not None)
                if before is not None:
                    before.subscriptions.unwatch(redis_key)

    def _at(self, redis_key: str, watched: _Watched, node: Node | None, *, moved: bool = False) -> None:
        watched.node = node
        if node is not None:
            told = partial(self._confirmed, redis_key, watched, node, moved)
            node.subscriptions.watch(redis_key).add_done_callback(told)

    def _confirmed(
        self, redis_key: str, watched: _Watched, node: Node, moved: bool, confirmation: asyncio.Future[None]
    ) -> None:
        if watched.node is not node or self._watched.get(redis_key) is not watched or confirmation.cancelled():
            return  # it has moved on, or nobody waits for it any more
        _release(watched)
        if moved:
            self._heard(redis_key, _PERHAPS)


def _release(watched: _Watched) -> None:
    for future in watched.waiting:
        if not future.done():
            future.set_result(None)
    watched.waiting.clear()
