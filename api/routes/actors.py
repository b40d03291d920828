"""Actors over HTTP: make a name one's own, give it another, look at one."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from api import docs
from api.bodies.actors import NewActor, NewActorAlias
from api.bodies.fields import ActorPath
from api.deps import bus_of, caller_of
from api.examples import callers as examples
from api.replies import reply
from api.routing import keyed
from api.shapes import callers as shapes
from api.wire import callers as wire

router = keyed("actors")


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
