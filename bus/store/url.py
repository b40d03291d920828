"""What a store's URL says: how to connect, and what may be shown of it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from ssl import SSLError
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from redis.asyncio.connection import Connection, SSLConnection, UnixDomainSocketConnection, parse_url
from redis.exceptions import RedisError

_POOL_ONLY = ("connection_class", "max_connections", "timeout", "retry_on_timeout", "retry_on_error", "health_check_interval")
_OURS = ("protocol", "legacy_responses", "decode_responses", "encoding", "encoding_errors", "client_name", "socket_timeout")


@dataclass(frozen=True, slots=True)
class Target:
    """A server: `where` and `look` (a command line to see inside) without credentials, `options` with them."""

    where: str
    look: str
    db: int
    connection_class: type[Any]
    options: Mapping[str, Any] = field(repr=False)

    def at(self, host: str, port: int) -> Target:
        """Another server of the same credentials and options."""
        where = _where("rediss" if self.connection_class is SSLConnection else "redis", host, port, self.db)
        options = {**self.options, "host": host, "port": port}
        return Target(where, f"redis-cli -u {shlex.quote(where)}", self.db, self.connection_class, options)


def target(url: str) -> Target:
    """The server a redis://, rediss:// or unix:// URL names. Raises ValueError, which never repeats the URL's credentials."""
    scheme = url.partition("://")[0]
    if scheme not in ("redis", "rediss", "unix") or "://" not in url:
        raise ValueError(
            "redis_url: must start with redis://, rediss://, redis+sentinel://, redis+cluster://, unix:// or memory://;"
            " unset: the embedded store"
        )
    try:
        options: dict[str, Any] = dict(parse_url(url))
        db = _db(url, options)
    except ValueError:  # its text may quote a piece of the password
        raise ValueError(
            f"redis_url: not a valid {scheme}:// URL; write host, port and database as {scheme}://host:6379/0"
            " and percent-encode special characters of the password"
        ) from None
    connection_class = options.get("connection_class")
    options = {name: value for name, value in options.items() if name not in (*_POOL_ONLY, *_OURS, "db")}
    if connection_class is UnixDomainSocketConnection:
        return unix_target(options.pop("path", ""), db=db, **options)
    options["db"] = db
    host, port = options.setdefault("host", "localhost"), options.setdefault("port", 6379)
    where = _where(scheme, host, port, db)
    connection_class = SSLConnection if scheme == "rediss" else Connection
    _check_options(connection_class, options)
    return Target(where, f"redis-cli -u {shlex.quote(where)}", db, connection_class, options)


def _where(scheme: str, host: str, port: int, db: int) -> str:
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}/{db}"


def unix_target(path: str, *, db: int = 0, **options: Any) -> Target:
    """The server behind a unix socket. Raises ValueError without a path."""
    if not path:
        raise ValueError("redis_url: unix:// needs the path of the socket, as in unix:///run/redis.sock")
    look = f"redis-cli -s {shlex.quote(path)}" + (f" -n {db}" if db else "")
    _check_options(UnixDomainSocketConnection, options)
    return Target(f"unix://{path}", look, db, UnixDomainSocketConnection, {**options, "path": path, "db": db})


def _check_options(connection_class: type[Any], options: Mapping[str, Any]) -> None:
    for option in ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile"):
        if (path := options.get(option)) and not os.access(str(path), os.R_OK):
            raise ValueError(f"redis_url: {option} names no file that can be read: {path}")
    try:
        connection = connection_class(**options)
        if isinstance(connection, SSLConnection):
            cast("Any", connection).ssl_context.get()
    except (OSError, SSLError) as why:  # OpenSSL's texts quote nothing
        raise ValueError(f"redis_url: the files of its ssl options cannot be used: {why}") from None
    except (TypeError, ValueError, RedisError):  # redis-py's texts quote values
        names = ", ".join(sorted(name for name in options if name not in ("host", "port", "db", "username", "password")))
        raise ValueError(f"redis_url: redis-py knows no such option, or not that value: {names}") from None


def _db(url: str, options: Mapping[str, Any]) -> int:
    # redis-py takes database 0 for a path that is no number: two buses would meet there by mistake.
    parts = urlsplit(url)
    if "db" not in options and parts.scheme != "unix" and (path := unquote(parts.path).strip("/")):
        return int(path)
    return int(options.get("db", 0))
