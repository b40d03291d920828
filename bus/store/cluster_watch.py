"""Notifications of a cluster's keys: each is told of by the node that owns it, and only there, so watching moves with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from .cluster_node import Node


class _Watched:
    __slots__ = ("node", "waiting")

    def __init__(self) -> None:
        self.node: Node | None = None
        self.waiting: set[asyncio.Future[None]] = set()


class ClusterWatch:
    """`Notifications` over the nodes' own. A key that no node owns just now is watched as soon as one does."""

    def __init__(self, node_of: Callable[[str], Node | None], lost_track: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._node_of = node_of
        self._lost_track = lost_track
        self._watched: dict[str, _Watched] = {}
        self._moving = 0

    def watch(self, redis_key: str) -> asyncio.Future[None]:
        future: asyncio.Future[None] = self._loop.create_future()
        watched = self._watched.get(redis_key)
        if watched is None:
            watched = self._watched[redis_key] = _Watched()
        watched.waiting.add(future)
        self._at(redis_key, watched, watched.node or self._node_of(redis_key))
        return future

    def unwatch(self, redis_key: str) -> None:
        watched = self._watched.pop(redis_key, None)
        if watched is None:
            return
        if watched.node is not None:
            watched.node.subscriptions.unwatch(redis_key)
        _release(watched)

    def follow(self) -> None:
        """The map of slots has changed: watch each key where it is now. Once that is confirmed everybody is told to look
        for themselves, for nobody heard what happened in between."""
        for redis_key, watched in self._watched.items():
            node = self._node_of(redis_key)
            if node is not None and node is not watched.node:
                before = watched.node
                self._moving += before is not None
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
        if moved:
            self._moving -= 1
            if not self._moving:
                self._lost_track()
        if watched.node is node and self._watched.get(redis_key) is watched and not confirmation.cancelled():
            _release(watched)


def _release(watched: _Watched) -> None:
    for future in watched.waiting:
        if not future.done():
            future.set_result(None)
    watched.waiting.clear()
