"""Actors over HTTP: make a name one's own, look at one."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from api import docs, examples, shapes, wire
from api.bodies.actors import NewActor
from api.bodies.fields import ActorPath
from api.deps import bus_of, caller_of
from api.replies import reply
from api.routing import keyed
from bus.models import Actor, Caller

router = keyed("actors")


@router.post(
    "/v1/actors",
    operation_id="create_actor",
    status_code=201,
    summary="Make an actor name one's own",
    responses={
        **docs.success(201, wire.ActorJson, examples.ACTOR, "The actor; its id is its name."),
        **docs.fails("actor_forbidden", "missing_field", "invalid_string", "invalid_actor_name", "invalid_object", body=True),
    },
)
async def create_actor(request: Request, body: NewActor) -> Response:
    """Make the name this key's, or get it back when it is already. Using a new name in any verb does the same."""
    caller = caller_of(request)
    actor = await bus_of(request).actors.create(caller, body.name, description=body.description or "", metadata=body.metadata)
    return reply(_shown(actor, caller), 201)


@router.get(
    "/v1/actors/{actor:path}",  # a name may hold a slash
    operation_id="get_actor",
    summary="Look at an actor",
    responses={
        **docs.success(200, wire.ActorJson, examples.ACTOR, "The actor."),
        **docs.fails("actor_not_found", "invalid_actor_name"),
    },
)
async def get_actor(request: Request, actor: ActorPath) -> Response:
    """The actor of that name, whosever it is."""
    caller = caller_of(request)
    return reply(_shown(await bus_of(request).actors.get(caller, actor), caller))


def _shown(actor: Actor, caller: Caller) -> wire.ActorJson:
    return shapes.actor(actor, caller.label if actor.key_id == caller.key_id else actor.key_id)
