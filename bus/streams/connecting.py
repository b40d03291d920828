"""Puts the bus together over a store, with its background work."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial

from ..bus import Bus, Health
from ..keys import Keys
from ..settings import Settings
from ..store import open_store
from ..store.background import background
from .access import RedisAccess
from .actors import RedisActors
from .admin import RedisAdmin
from .bell import Bell
from .broadcasts import RedisBroadcasts
from .channels import RedisChannels
from .claims import RedisClaims
from .credentials import RedisCredentials
from .engine import Engine
from .idempotency import RedisIdempotency
from .invitations import RedisInvitations
from .members import RedisMembers
from .messages import RedisMessages
from .sandbox import Sandbox
from .schema_version import SchemaTooNew, check_at_start, check_forever
from .sessions import RedisSessions
from .sweeper import Sweeper
from .tasks import RedisTasks
from .webhooks import HandOver, RedisWebhooks, Sender


@asynccontextmanager
async def connect_engine(settings: Settings) -> AsyncGenerator[Engine]:
    """The store with its bell, without background work: for the bus, and for whoever wants to look underneath."""
    bell = Bell()
    async with open_store(settings, bell.heard, bell.lost_track) as store:
        bell.attach(store.notifications)
        yield Engine(store, Keys(settings.prefix), bell, settings)


@asynccontextmanager
async def connect_streams(settings: Settings) -> AsyncGenerator[Bus]:
    """See `bus.connect`."""
    async with connect_engine(settings) as engine:
        await check_at_start(engine)
        sweeper = Sweeper(engine)

        async def recheck() -> None:
            await engine.bell.recheck_forever(engine.store)

        bus = bus_over(engine)
        loops = [
            recheck,
            partial(check_forever, engine),
            sweeper.sweep_forever,
            HandOver(engine).hand_on_forever,
            Sender(engine).send_forever,
        ]
        if settings.sandbox_enabled:
            loops.append(Sandbox(engine, bus.channels, bus.messages).sandbox_forever)
        try:
            async with background(*loops):
                yield bus
        except BaseExceptionGroup as failed:
            if too_new := failed.subgroup(SchemaTooNew):
                raise too_new.exceptions[0] from None
            raise


def bus_over(engine: Engine) -> Bus:
    """The concepts over one engine."""
    actors = RedisActors(engine)
    credentials = RedisCredentials(engine, actors)
    channels = RedisChannels(engine)
    messages = RedisMessages(engine, channels, actors, credentials)
    claims = RedisClaims(engine, actors, credentials)

    async def ping() -> Health:
        store = engine.store
        return Health(store.kind, store.where, store.look, await store.server(), store.notify_mode)

    return Bus(
        channels=channels,
        messages=messages,
        tasks=RedisTasks(engine, messages, claims, credentials),
        broadcasts=RedisBroadcasts(engine, messages, actors),
        webhooks=RedisWebhooks(engine, actors),
        credentials=credentials,
        actors=actors,
        access=RedisAccess(engine),
        members=RedisMembers(engine),
        invitations=RedisInvitations(engine),
        sessions=RedisSessions(engine),
        idempotency=RedisIdempotency(engine, credentials),
        admin=RedisAdmin(engine, actors, channels),
        settings=engine.settings,
        ping=ping,
        drain=engine.bell.drain,
    )
