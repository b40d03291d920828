"""One verb has one name and one error has one code, from the bus to the HTTP API to the tools."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest

from api.app import create_app
from api.errors import STATUS
from bus import Settings, errors
from bus.access import AccessControl
from bus.actors import Actors
from bus.admin import Admin
from bus.broadcasts import Broadcasts
from bus.channels import Channels
from bus.credentials import Credentials
from bus.invitations import Invitations
from bus.members import Members
from bus.messages import Messages
from bus.sessions import Sessions
from bus.tasks import Tasks
from bus.webhooks import Webhooks
from mcp_server.server import create_server

pytestmark = pytest.mark.anyio

CONCEPTS: dict[type, tuple[str, ...]] = {
    AccessControl: (),
    Actors: ("actor",),
    Broadcasts: (),
    Channels: ("channel", "channels"),
    Credentials: ("key",),
    Invitations: ("invitation",),
    Members: ("member", "members"),
    Messages: ("message", "messages"),
    Sessions: ("session", "sessions"),
    Tasks: ("task",),
    Webhooks: ("webhook",),
}

# Concepts whose verbs bear their name in front, because another concept's are called the same.
PREFIXES: dict[type, str] = {Admin: "admin_"}

# Operations that are no verb of the bus.
OF_THE_SERVER = {
    "health": "whether this process lives",
    "ready": "whether its store answers: Bus.ping",
    "status": "the same for people",
}


# The first Backchannel's own verbs: other shapes of ours, or two of them in one call.
OF_THE_CONTRACT = {
    "claim_and_ack": "Tasks.claim_message and Tasks.ack",
    "claim_with_lease": "Tasks.claim_message",
    "create_claimable_session": "Channels.create and Invitations.create",
    "heartbeat_lease": "Tasks.heartbeat",
    "post_result": "Tasks.ack",
    "post_with_result": "Tasks.post",
}


def verbs() -> set[str]:
    """Every name a verb may have: the method's, or the method's and its concept's (`post_task`, `list_channels`)."""
    names: set[str] = set()
    for protocol, concepts in CONCEPTS.items():
        for method, _ in inspect.getmembers(protocol, inspect.isfunction):
            if not method.startswith("_"):
                names |= {method, *(f"{method}_{concept}" for concept in concepts)}
    for protocol, prefix in PREFIXES.items():
        methods = inspect.getmembers(protocol, inspect.isfunction)
        names |= {f"{prefix}{method}" for method, _ in methods if not method.startswith("_")}
    return names


def test_every_operation_is_named_after_its_verb() -> None:
    """Whoever knows the bus finds the operation, and the other way round."""
    paths = create_app(Settings(redis_url="memory://names")).openapi()["paths"]
    operations = {operation["operationId"] for path in paths.values() for operation in path.values()}
    assert operations
    assert operations - verbs() - set(OF_THE_SERVER) - set(OF_THE_CONTRACT) == set()


# Errors that a verb raises in process alone.
NOT_OVER_HTTP = {
    ("audit", "InvalidInput"): "the wire takes any number as a limit",
    ("admin_audit", "InvalidInput"): "the same",
}


def test_an_operation_declares_the_errors_that_its_verb_names() -> None:
    """Whoever writes a client by OpenAPI alone learns every error that a reader of the bus does."""
    paths = create_app(Settings(redis_url="memory://errors")).openapi()["paths"]
    operations = {operation["operationId"]: operation for path in paths.values() for operation in path.values()}
    missing: list[str] = []
    for protocol, concepts in {**CONCEPTS, **dict.fromkeys(PREFIXES, ())}.items():
        for method, verb in inspect.getmembers(protocol, inspect.isfunction):
            names = [*(f"{method}_{concept}" for concept in concepts), PREFIXES.get(protocol, "") + method]
            if name := next(filter(operations.__contains__, names), None):
                undeclared = _said(verb) - _declared(operations[name]["responses"])
                missing += [f"{name}: {each}" for each in sorted(undeclared) if (name, each) not in NOT_OVER_HTTP]
    assert not missing


def _said(verb: Any) -> set[str]:
    """The errors that a verb's docstring names."""
    return set(re.findall(r"\w+", inspect.getdoc(verb) or "")) & {found.__name__ for found in errors.BY_CODE.values()}


def _declared(answers: dict[str, Any]) -> set[str]:
    """The errors of an operation's answers; every code of a 422 that is no other error's is InvalidInput's."""
    codes = {code for answer in answers.values() for code in re.findall(r"`(\w+)`", answer["description"])}
    named = {found.__name__ for code, found in errors.BY_CODE.items() if code in codes}
    return named | {errors.InvalidInput.__name__} if "422" in answers else named


async def test_every_tool_is_named_after_its_verb() -> None:
    """An agent that reads the HTTP API's names knows the tools."""
    tools = {tool.name for tool in await create_server(None).list_tools()}
    assert tools
    assert tools - verbs() == set()


# Codes of the HTTP API alone: about the request as such, before or beside any verb of the bus.
OF_HTTP = {
    "api_key_required",
    "body_too_large",
    "client_gone",
    "host_not_allowed",
    "internal_server_error",
    "invalid_json",
    "invalid_message_id",
    "lease_expired",
    "method_not_allowed",
    "not_found",
    "origin_not_allowed",
    "result_not_ready",
}


def test_every_error_has_one_status() -> None:
    """The API's table and the bus's errors name the same codes; malformed input has one status for all of its codes."""
    assert set(STATUS) - OF_HTTP == set(errors.BY_CODE) - {errors.InvalidInput.code}
    assert set(STATUS) >= OF_HTTP


def test_every_code_is_of_one_error() -> None:
    """A code on the wire leads back to exactly one class."""
    classes = [found for found in vars(errors).values() if inspect.isclass(found) and issubclass(found, errors.BusError)]
    codes = [found.code for found in classes if found is not errors.BusError]
    assert sorted(codes) == sorted(set(codes)) == sorted(errors.BY_CODE)
    assert all(found.__doc__ for found in classes)
