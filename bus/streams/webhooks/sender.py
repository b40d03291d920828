"""Sends what is queued for webhooks. Every process that holds the store shares the work."""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
import time
from typing import Final

import httpx

from ...errors import StoreFull, StoreUnavailable
from ...webhook_urls import allowed_by
from ..bell import Ear
from ..engine import Engine
from .handing import HandOver
from .hosts import Hosts
from .posting import NotDelivered, Poster, Resolve, look_up, signed
from .queue import Held, Queue
from .targets import Target, Targets

log = logging.getLogger(__name__)

_AT_ONCE: Final = 16
_LIMIT_SECONDS: Final = 10.0
_LOOK_AGAIN_SECONDS: Final = 60.0
_RETRY_SECONDS: Final = 1.0


class Sender:
    """`limit_seconds`: of one attempt in all. `resolve`: who says where a name leads; `trust`: whose certificates count."""

    def __init__(
        self,
        engine: Engine,
        *,
        limit_seconds: float = _LIMIT_SECONDS,
        resolve: Resolve = look_up,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._engine = engine
        self._queue = Queue(engine)
        self._targets = Targets(engine)
        self._hand_over = HandOver(engine)
        self._hosts = Hosts()
        self._poster = Poster(allowed_by(engine.settings), limit_seconds=limit_seconds, resolve=resolve, trust=trust)

    async def send_once(self) -> bool:
        """Send the next delivery that is due; False when there is none."""
        held = await self._queue.next()
        if not isinstance(held, Held):
            return False
        await self._send(held)
        return True

    async def _send(self, held: Held) -> None:
        """One attempt, with its outcome. The lease is three times what an attempt may take, so it is never renewed."""
        delivery = held.delivery
        target = await self._targets.of(delivery)
        said = await self._targets.body(delivery, target) if target else None
        if target is None or said is None:
            log.info(
                "webhook delivery %s (%s, channel %s): nothing left to tell", delivery.id, delivery.event, delivery.channel
            )
            await self._queue.end(held)
            return
        body = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
        headers = signed(delivery.event, delivery.id, int(time.time()), target.secret, body)
        try:
            with self._hosts.trying(httpx.URL(target.url).host):
                await self._poster.post(target.url, headers, body)
        except NotDelivered as why:
            await self._fail(held, target, str(why))
        except asyncio.CancelledError:
            self._queue.give_back(held)
            raise
        else:
            await self._queue.end(held)

    async def _fail(self, held: Held, target: Target, why: str) -> None:
        host = httpx.URL(target.url).host
        log.info("webhook delivery %s to %s, attempt %s: %s", held.delivery.id, host, held.attempt, why)
        if await self._queue.fail(held, why):
            await self._hand_over.bury()

    async def send_forever(self) -> None:
        """Up to 16 at a time, each as soon as it is due, until the process drains."""
        ear = self._engine.bell.listen(in_line=self._queue.keys)
        try:
            await ear.open()
            async with asyncio.TaskGroup() as group:
                await self._share(ear, group)
        finally:
            ear.close()
            await self._poster.aclose()

    async def _share(self, ear: Ear, group: asyncio.TaskGroup) -> None:
        free = asyncio.Semaphore(_AT_ONCE)
        while not ear.draining:
            await free.acquire()
            mark = ear.mark()
            try:
                held = await self._queue.next()
            except (StoreUnavailable, StoreFull) as why:
                log.info("webhooks wait for the store: %s", why)
                held = _RETRY_SECONDS
            except Exception:  # the top of taking one: it must not end the process
                log.exception("the queue of webhooks cannot be worked off")
                held = _RETRY_SECONDS
            if isinstance(held, Held):
                group.create_task(self._send_and_free(held, free))
            else:
                free.release()
                await ear.wait(mark, min(held, _LOOK_AGAIN_SECONDS))

    async def _send_and_free(self, held: Held, free: asyncio.Semaphore) -> None:
        try:
            await self._send(held)
        except StoreUnavailable as why:
            log.info("webhook delivery %s: its outcome could not be kept (%s); it will be sent again", held.delivery.id, why)
        except Exception:  # the top of what one delivery does: it must not end the process, and its lease brings it back
            log.exception("webhook delivery %s failed unexpectedly", held.delivery.id)
        finally:
            free.release()
