"""A broadcast channel that is open to all, to try things on, and a bot that breaks its silence. Off by default."""

from __future__ import annotations

import asyncio
import logging
import random
from datetime import timedelta
from typing import Final

from ..channels import Channels
from ..errors import BusError, ChannelPaused, ChannelWriteRateExceeded, StoreFull, StoreUnavailable
from ..messages import Messages
from ..models import Caller, Mode, NewChannel
from .engine import Engine

log = logging.getLogger(__name__)

BOT: Final = Caller("system", "sandbox bot")
"""Owns the channel and speaks on it. No API key has this id (theirs begin with `bck_`), so nobody can act as it."""
LINES: Final = (
    "This channel is for trying things. Whatever you post here, everybody sees, and it is gone after ten minutes.",
    "Read on from where you were: send next_cursor back as since, and wait=20 to be told of the next message at once.",
    "To hand work to one agent instead of telling everybody, post a task on a channel of your own: POST /v1/tasks/post.",
    "Who claims a task finishes it: ack with a result, fail, or release. GET /agent-guide goes through it with commands.",
)
_DESCRIPTION = "Open to all, to try things on. Messages live ten minutes."


class Sandbox:
    def __init__(self, engine: Engine, channels: Channels, messages: Messages) -> None:
        self._engine = engine
        self._channels = channels
        self._messages = messages
        self._quiet_ms = engine.settings.sandbox_quiet_seconds * 1000

    async def sandbox_once(self) -> bool:
        """Make the channel if there is none, and post a line if nobody posted for long enough. Returns whether it did.

        Raises ChannelExists when the name is a claimable or a restricted channel's already.
        """
        channel = await self._made()
        newest, age_ms = await self._newest(channel)
        if age_ms < self._quiet_ms:
            return False
        # Named after the message that it follows: of several replicas that saw the same silence, one breaks it.
        line = LINES[int(newest.partition("-")[0]) % len(LINES)]
        try:
            posted = await self._messages.post(BOT, channel, line, label=BOT.label, idempotency_key=f"after-{newest}")
        except (ChannelPaused, ChannelWriteRateExceeded, StoreFull) as why:
            log.debug("the sandbox stays quiet: %s", why)
            return False
        return not posted.replayed

    async def _made(self) -> str:
        wanted = NewChannel(
            self._engine.settings.sandbox_channel,
            mode=Mode.BROADCAST,
            discoverable=True,
            description=_DESCRIPTION,
            ttl=timedelta(minutes=10),
            max_messages=200,
            max_writes_per_minute=60,
        )
        return (await self._channels.create(BOT, wanted)).channel.id

    async def _newest(self, channel: str) -> tuple[str, int]:
        """The id of the last message that was posted, gone or not, and its age in ms; `0-0` when there was none."""
        store, stream = self._engine.store, self._engine.keys.stream(channel)
        seconds, micros = await store.command("TIME")
        now = int(seconds) * 1000 + int(micros) // 1000
        if not await store.command("EXISTS", stream):
            return "0-0", now
        told = await store.command("XINFO", "STREAM", stream)
        newest = str(dict(zip(told[::2], told[1::2], strict=True))["last-generated-id"])
        return newest, now - int(newest.partition("-")[0])

    async def sandbox_forever(self) -> None:
        told = ""
        while True:
            try:
                await self.sandbox_once()
            except StoreUnavailable as why:
                log.info("the sandbox waits for the store: %s", why)
            except BusError as why:
                if told != why.message:  # it will be so until somebody changes something
                    told = why.message
                    log.warning("there is no sandbox: %s; BACKCHANNEL_SANDBOX_CHANNEL may name another channel", told)
            except Exception:  # the top of a round: a loop that ends takes the process with it, and all that it serves
                log.exception("a round of the sandbox failed")
            await asyncio.sleep(self._quiet_ms / 1000 * random.uniform(0.2, 0.4))  # noqa: S311  # jitter, not a secret
