"""Errors of who calls: API keys, scopes, actors, limits."""

from __future__ import annotations

from .base import BusError


class Unauthorized(BusError):
    """No API key, an unknown one, or a revoked one."""

    code = "unauthorized"


class InsufficientScope(BusError):
    """The API key lacks the scope. Details: `required_scope`, `granted_scopes`."""

    code = "insufficient_scope"


class Forbidden(BusError):
    """The API key is good but this is not its to do."""

    code = "forbidden"


class RateLimitExceeded(BusError):
    """More calls than the limit allows. Details: `retry_after` seconds, after which the next one is let through."""

    code = "rate_limit_exceeded"


class MintingClosed(BusError):
    """This bus does not hand out API keys to whoever asks."""

    code = "minting_closed"


class LabelInUse(BusError):
    """An active API key already has this label."""

    code = "label_in_use"


class KeyNotFound(BusError):
    """No API key with that id."""

    code = "key_not_found"


class AdminDisabled(BusError):
    """The bus has no admin token, so nobody can administer it over HTTP."""

    code = "admin_disabled"


class AdminUnauthorized(BusError):
    """The admin token is missing or wrong."""

    code = "admin_unauthorized"


class ActorForbidden(BusError):
    """The actor name belongs to another API key."""

    code = "actor_forbidden"


class ActorNotFound(BusError):
    """No actor of that name."""

    code = "actor_not_found"


class AliasConflict(BusError):
    """The name is a channel, an actor or another alias already."""

    code = "alias_conflict"


class SessionNotFound(BusError):
    """The API key has no such session (any more)."""

    code = "session_not_found"


class WebhookNotFound(BusError):
    """The actor has no webhook."""

    code = "webhook_not_found"
