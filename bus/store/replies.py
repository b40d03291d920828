"""What an error reply of the server means to a caller."""

from __future__ import annotations

from typing import Final

from redis.exceptions import NoPermissionError, NoScriptError, ResponseError

from bus.errors import StoreFull, StoreUnavailable

RETRY_AFTER_SECONDS: Final = 1

_REFUSED: Final = {
    "READONLY": "is a read-only replica now",
    "MASTERDOWN": "is a replica that has lost its primary",
    "CLUSTERDOWN": "is part of a cluster that is down",
    "TRYAGAIN": "is moving keys to another node of its cluster",
    "LOADING": "is still loading its data",
    "BUSY": "is busy with a long script",
    "MISCONF": "cannot write to its disk",
    "NOREPLICAS": "has too few replicas to accept writes",
}
_DEMOTED: Final = ("READONLY", "MASTERDOWN")
_KEPT: Final = {"NOSCRIPT": NoScriptError, "NOPERM": NoPermissionError}


def to_error(text: str) -> Exception:
    """The exception for an error reply. The store's own text is kept: it names commands and keys, never values."""
    code = text.partition(" ")[0]
    if said := _REFUSED.get(code):
        refused = _nothing_done(f"the store {said}; nothing was stored, try again")
        refused.demoted = code in _DEMOTED
        return refused
    if code in ("MOVED", "ASK"):
        return _redirected(text)
    if code == "OOM":
        return StoreFull("the store is out of memory: nothing was stored; finish or expire tasks, or raise its maxmemory")
    return _KEPT.get(code, ResponseError)(text)


def unknown_outcome(why: str) -> StoreUnavailable:
    """For a call that was sent and never answered."""
    return StoreUnavailable(
        f"the store did not answer ({why}); whether the call took effect is unknown, check before you repeat it",
        retry_after=RETRY_AFTER_SECONDS,
    )


def not_sent(why: str) -> StoreUnavailable:
    """For a call that was never sent."""
    return _nothing_done(f"the store cannot be reached ({why}); nothing was sent, try again")


def _nothing_done(message: str) -> StoreUnavailable:
    error = StoreUnavailable(message, retry_after=RETRY_AFTER_SECONDS)
    error.nothing_done = True
    return error


class Redirected(ResponseError):
    """MOVED or (`asking`) ASK: nothing was done, another node of the cluster is to be asked. `host` '': the one that said
    so."""

    def __init__(self, slot: int, host: str, port: int, *, asking: bool) -> None:
        told = "the store is a node of a cluster: use redis+cluster:// instead of redis://"
        super().__init__(told)  # pyright: ignore[reportUnknownMemberType] - redis-py leaves its arguments untyped
        self.slot = slot
        self.host = host
        self.port = port
        self.asking = asking


def _redirected(text: str) -> Redirected:
    """From `MOVED 3999 127.0.0.1:6381`."""
    code, slot, address = text.split(" ")[:3]
    host, _, port = address.rpartition(":")
    return Redirected(int(slot), host, int(port), asking=code == "ASK")


def version_of(info: str) -> str:
    """`Valkey 9.1.2` or `Redis 7.0.15`, from the text of INFO server."""
    found = dict(line.split(":", 1) for line in info.splitlines() if ":" in line)
    if version := found.get("valkey_version"):
        return f"Valkey {version}"
    return f"Redis {found.get('redis_version', 'of unknown version')}"
