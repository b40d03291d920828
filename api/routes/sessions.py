"""Sessions over HTTP: what an API key keeps for itself between calls."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from api import docs
from api.bodies.fields import SessionPath
from api.bodies.sessions import NewSession, SessionChanges
from api.deps import bus_of, caller_of
from api.examples import sessions as examples
from api.replies import reply
from api.routing import keyed
from api.shapes import sessions as shapes
from api.wire import sessions as wire

router = keyed("sessions")


@router.post(
    "/v1/sessions",
    operation_id="create_session",
    status_code=201,
    summary="Keep a state",
    responses={
        **docs.success(201, wire.SessionJson, examples.SESSION, "The new session."),
        **docs.fails("missing_field", "invalid_string", "invalid_object", "content_too_large", "too_many_sessions", body=True),
    },
)
async def create_session(request: Request, body: NewSession) -> Response:
    """Keep a named JSON object for this API key. It lives 24 hours; a key has at most 100 of them."""
    made = await bus_of(request).sessions.create(caller_of(request), body.name, state=body.state)
    return reply(shapes.session(made), 201)


@router.get(
    "/v1/sessions",
    operation_id="list_sessions",
    summary="List one's sessions",
    responses={**docs.success(200, wire.SessionsJson, examples.SESSIONS, "Newest first."), **docs.fails()},
)
async def list_sessions(request: Request) -> Response:
    """Every session of this API key that has not expired."""
    found = await bus_of(request).sessions.list(caller_of(request))
    return reply({"data": [shapes.session(each) for each in found]})


@router.get(
    "/v1/sessions/{session_id}",
    operation_id="get_session",
    summary="Look at a session",
    responses={
        **docs.success(200, wire.SessionJson, examples.SESSION, "The session."),
        **docs.fails("session_not_found"),
    },
)
async def get_session(request: Request, session_id: SessionPath) -> Response:
    """The session of that id, when it is this API key's."""
    return reply(shapes.session(await bus_of(request).sessions.get(caller_of(request), session_id)))


@router.patch(
    "/v1/sessions/{session_id}",
    operation_id="update_session",
    summary="Change a session's state",
    responses={
        **docs.success(200, wire.SessionJson, examples.SESSION, "The session as it is now."),
        **docs.fails("session_not_found", "invalid_object", "content_too_large", body=True),
    },
)
async def update_session(request: Request, session_id: SessionPath, body: SessionChanges) -> Response:
    """Set what is named at the top level of the state; the rest of it stays, and so does the session's end."""
    return reply(shapes.session(await bus_of(request).sessions.update(caller_of(request), session_id, body.changes)))


@router.delete(
    "/v1/sessions/{session_id}",
    operation_id="delete_session",
    summary="Forget a session",
    responses={
        **docs.success(200, wire.DeletedSessionJson, examples.DELETED, "It is gone."),
        **docs.fails("session_not_found"),
    },
)
async def delete_session(request: Request, session_id: SessionPath) -> Response:
    """Forget a session before its time."""
    await bus_of(request).sessions.delete(caller_of(request), session_id)
    return reply({"status": "deleted"})
