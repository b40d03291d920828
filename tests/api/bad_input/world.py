"""A live server with something of every kind on it, and requests sent to it byte by byte."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPResponse
from string import Template
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import redis

ADMIN_TOKEN = "the-token-of-the-hostile-tests"
PATIENCE_SECONDS = 20.0
"""More than any of these requests may take: one that hangs fails."""
UNSTEADY = (b"bc:sweeper", b"bc:rate:")
"""How the names of keys begin that the server writes without being asked, and where it counts what it refuses."""


class Row(NamedTuple):
    """One malformed request and what it must get. In path, headers and a JSON body `$task`, `$channel`, … stand for what
    exists (see `World.names`). `send` is the raw body, or what is sent as JSON; `field` what the answer must name."""

    method: str
    path: str
    send: Any
    status: int
    code: str
    field: str | None = None
    headers: Sequence[tuple[str, str]] | None = None
    """Instead of the API key's."""

    def __str__(self) -> str:
        return f"{self.method} {self.path[:60]} {self.code} {self.field or ''} {str(self.send or '')[:30]!r}".encode(
            "unicode_escape"
        ).decode()


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        return json.loads(self.body)


@dataclass
class World:
    """`names` are those of what exists: a channel of each kind, tasks in each state, a session, an invitation, …"""

    base_url: str
    store: redis.Redis
    names: dict[str, str] = field(default_factory=dict[str, str])

    def raw(self, *parts: bytes) -> Answer:
        """Sends the bytes as they are, and reads one answer."""
        where = urlsplit(self.base_url)
        with closing(socket.create_connection((where.hostname, where.port), timeout=PATIENCE_SECONDS)) as connection:
            try:
                for part in parts:
                    connection.sendall(part)
            except (BrokenPipeError, ConnectionResetError):  # it has answered already, and reads no further
                pass
            answer = HTTPResponse(connection, method="GET")
            answer.begin()
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())

    def request(self, method: str, path: str, headers: Sequence[tuple[str, str]] = (), body: bytes = b"") -> bytes:
        """The bytes of a request. Text is sent as latin-1, so that any byte can be."""
        lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body

    def ask(self, row: Row) -> Answer:
        """Sends the row's request with the API key that owns everything."""
        given = row.headers if row.headers is not None else [("X-API-Key", "$key")]
        headers = [(name, self.fill(value)) for name, value in given]
        body = row.send if isinstance(row.send, bytes) else b"" if row.send is None else self._json(row.send)
        return self.raw(self.request(row.method, self.fill(row.path), headers, body))

    def fill(self, text: str) -> str:
        return Template(text).safe_substitute(self.names)

    def _json(self, value: Any) -> bytes:
        return self.fill(json.dumps(value)).encode()

    def kept(self) -> dict[bytes, object]:
        """Everything that the store holds."""
        found: dict[bytes, object] = {}
        names = [name for name in self.store.scan_iter(count=1000) if not name.startswith(UNSTEADY)]
        with self.store.pipeline(transaction=False) as pipeline:
            for name in names:
                pipeline.dump(name)
            for name, value in zip(names, pipeline.execute(), strict=True):
                found[name] = value
        return found
