"""What the documents say of this server, taken from the code's own tables and from its settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from bus import Settings, __version__
from bus.credentials import ACK, CHANNELS_MANAGE, CHANNELS_READ, CHANNELS_WRITE, CLAIM, READ, SCOPE_OF, WRITE

from .error_codes import ErrorCode, error_codes

API_VERSION: Final = "1.0"
SCOPES: Final[Mapping[str, str]] = {
    READ: "read messages, results, history and dead letters, and have actors told of mentions by webhook",
    WRITE: "post, broadcast, cancel and take back messages",
    CLAIM: "claim tasks",
    ACK: "finish, renew, give back and redrive tasks, and mark broadcasts as read",
    CHANNELS_READ: "list channels, see how they do, and ask or be invited in",
    CHANNELS_WRITE: "create channels",
    CHANNELS_MANAGE: "change and delete one's own channels, and say who may enter them",
}
"""Every scope that an API key may have, in words."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One route of the API as OpenAPI has it."""

    method: str
    path: str
    name: str
    summary: str
    keyed: bool


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool of the MCP server; `summary` is the first sentence of its description."""

    name: str
    summary: str


@dataclass(frozen=True, slots=True)
class Facts:
    """For the templates. `base_url` is this server's advertised address; `public_minting` as it is now."""

    base_url: str
    public_minting: bool
    settings: Settings
    openapi: Mapping[str, Any]
    tools: Sequence[Tool]

    @property
    def path(self) -> str:
        """Under which path a proxy serves this server, as its operator says; '' when under none."""
        return urlsplit(self.base_url).path.rstrip("/")

    @property
    def version(self) -> str:
        return __version__

    @property
    def api_version(self) -> str:
        return API_VERSION

    @property
    def scopes(self) -> Mapping[str, str]:
        return SCOPES

    @property
    def verbs_of_scopes(self) -> Mapping[str, Sequence[str]]:
        """By scope, the verbs (`tasks.claim`) that need it and no other will do for."""
        return {scope: [verb for verb, needed in SCOPE_OF.items() if needed == (scope,)] for scope in SCOPES}

    @property
    def operations(self) -> Mapping[str, Sequence[Operation]]:
        """By concept, in the order of the routes."""
        grouped: dict[str, list[Operation]] = {}
        for path, method, operation in routes(self.openapi):
            grouped.setdefault(operation["tags"][0], []).append(
                Operation(method.upper(), path, operation["operationId"], operation["summary"], bool(operation.get("security")))
            )
        return grouped

    @property
    def errors(self) -> Sequence[ErrorCode]:
        return error_codes(self.openapi)

    @property
    def longest_wait(self) -> str:
        """In words that go in brackets."""
        seconds = int(self.settings.longpoll_max_wait.total_seconds())
        return f"at most {seconds} s a call" if seconds else "switched off here: every call answers at once"

    @property
    def sandbox(self) -> str | None:
        """The channel to try things on, None when there is none."""
        return self.settings.sandbox_channel if self.settings.sandbox_enabled else None


def routes(openapi: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Path, method and description of every operation."""
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation
