"""Which node of a cluster owns which slot, as its nodes tell it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from .many_hosts import Address

SLOTS: Final = 16_384
_MOST_PORT: Final = 65_535


@dataclass(frozen=True, slots=True)
class SlotMap:
    """`owners`: the primary of each slot, None where there is none; `replicas` own nothing, and know the map as well."""

    owners: Sequence[Address | None]
    primaries: frozenset[Address]
    replicas: frozenset[Address]


EMPTY: Final = SlotMap([None] * SLOTS, frozenset(), frozenset())


def slot_map(rows: Sequence[Any], asked: Address) -> SlotMap:
    """From the reply to CLUSTER SLOTS of the node `asked`. Nodes that do not say how to reach them are left out."""
    owners: list[Address | None] = [None] * SLOTS
    replicas: set[Address] = set()
    for first, last, *nodes in rows:
        found = [_address(node, asked) for node in nodes]
        owners[first : last + 1] = [found[0] if found else None] * (last + 1 - first)
        replicas.update(each for each in found[1:] if each is not None)
    primaries = frozenset(owner for owner in set(owners) if owner is not None)
    return SlotMap(owners, primaries, frozenset(replicas) - primaries)


def _address(node: Sequence[Any], asked: Address) -> Address | None:
    host, port = node[0], node[1]
    if host == "?":  # it is to be called by a name, and has not learnt its own yet
        more: Sequence[Any] = node[3] if len(node) > 3 else ()
        host = next((value for name, value in zip(more[::2], more[1::2], strict=False) if name == "ip"), None)
    address = (str(host or asked[0]), int(port))
    return address if reachable(address) else None


def reachable(address: Address) -> bool:
    """Whether one can connect to what a node said: no name at all, or port 0, and one cannot."""
    host, port = address
    return 0 < port <= _MOST_PORT and bool(host) and host != "?" and all(0 < len(part) < 64 for part in host.split("."))
