"""Actors over HTTP: make a name one's own, give it another, look at one, and where it was mentioned."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from api import docs
from api.bodies.actors import NewActor, NewActorAlias
from api.bodies.fields import ActorPath, LimitQuery
from api.deps import bus_of, caller_of
from api.examples import callers as examples
from api.replies import reply
from api.routing import keyed
from api.shapes import callers as shapes
from api.wire import callers as wire

router = keyed("actors")
MentionsSince = Annotated[
    str | None, Query(description="`next_cursor` of the page before, `0`, or an ISO 8601 timestamp; absent: all of them.")
]


@router.post(
    "/v1/actors",
    operation_id="create_actor",
    status_code=201,
    summary="Make an actor name one's own",
    responses={
        **docs.success(201, wire.ActorJson, examples.ACTOR, "The actor; its id is its name."),
        **docs.fails(
            "actor_forbidden", "insufficient_scope", "missing_field", "invalid_string", "invalid_actor_name", "invalid_object",
            "content_too_large", body=True,
        ),
    },
)  # fmt: skip
async def create_actor(request: Request, body: NewActor) -> Response:
    """Make the name this key's, or change what is said of it when it is already. Using a new name in any verb makes it
    this key's too.
    """
    actor = await bus_of(request).actors.create(
        caller_of(request), body.name, description=body.description, metadata=body.metadata
    )
    return reply(shapes.actor(actor), 201)


@router.post(
    "/v1/actors/{actor:path}/aliases",  # a name may hold a slash
    operation_id="add_alias_actor",
    status_code=201,
    summary="Give an actor another name",
    responses={
        **docs.success(201, wire.ActorJson, examples.ACTOR, "The actor with all its names."),
        **docs.fails(
            "actor_not_found", "actor_forbidden", "insufficient_scope", "alias_conflict", "missing_field", "invalid_string",
            "invalid_actor_name", "too_many_aliases", body=True,
        ),
    },
)  # fmt: skip
async def add_alias(request: Request, actor: ActorPath, body: NewActorAlias) -> Response:
    """Another name for an actor of this key's, good wherever an actor is named, for good."""
    return reply(shapes.actor(await bus_of(request).actors.add_alias(caller_of(request), actor, body.alias)), 201)


@router.get(
    "/v1/actors/{actor:path}/mentions",
    operation_id="mentions",
    summary="Where an actor was mentioned",
    responses={
        **docs.success(200, wire.MentionPageJson, examples.MENTIONS, "Oldest first; resend `next_cursor` as `since`."),
        **docs.fails(
            "actor_not_found", "actor_forbidden", "insufficient_scope", "invalid_actor_name", "invalid_limit", "invalid_cursor"
        ),
    },
)
async def mentions(request: Request, actor: ActorPath, since: MentionsSince = None, limit: LimitQuery = 50) -> Response:
    """Where an actor of this key's was mentioned: of the last 100 times within 7 days, those on channels that the key may
    enter. They are there within moments of the post.
    """
    page = await bus_of(request).actors.mentions(caller_of(request), actor, since=since, limit=limit)
    return reply(shapes.mention_page(page, limit))


@router.get(
    "/v1/actors/{actor:path}",
    operation_id="get_actor",
    summary="Look at an actor",
    responses={
        **docs.success(200, wire.ActorJson, examples.ACTOR, "The actor."),
        **docs.fails("actor_not_found", "invalid_actor_name"),
    },
)
async def get_actor(request: Request, actor: ActorPath) -> Response:
    """The actor of that name or alias, whosever it is."""
    return reply(shapes.actor(await bus_of(request).actors.get(caller_of(request), actor)))
