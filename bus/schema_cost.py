"""What checking a value against a JSON Schema may cost, told from the schema's text before it is ever used.

The cost counts the checks that one value can meet, with every `$ref` replaced by what it means. Without recursion a
check is made at most once per value, so cost times values bounds the work; a schema that refers back to itself can multiply
it at every level of the metadata, and is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, cast
from urllib.parse import unquote

MAX_STEPS: Final = 1_000
MAX_DEPTH: Final = 32
_UNEVALUATED = 3
"""What `unevaluated…` multiplies the checks beside it with: it makes them again to learn what they have seen."""
_ONE = frozenset(
    {
        "additionalItems", "additionalProperties", "contains", "contentSchema", "else", "if", "items", "not", "propertyNames",
        "then", "unevaluatedItems", "unevaluatedProperties",
    }
)  # fmt: skip
_SEVERAL = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_NAMED = frozenset({"dependencies", "dependentSchemas", "patternProperties", "properties"})
_KEPT = frozenset({"$defs", "definitions"})  # cost nothing where they stand: only a $ref makes checks of them
_AGAIN = frozenset({"unevaluatedItems", "unevaluatedProperties"})
_ELSEWHERE = frozenset({"$dynamicRef", "$recursiveRef"})
Schema = dict[str, Any]
PatternSteps = Callable[[str], int]


class Untenable(ValueError):
    """The schema cannot be taken; the text says why, and what to do instead."""


@dataclass(frozen=True, slots=True)
class Cost:
    """`checks` that one value can meet, each of which may find something; `steps` count a pattern by its size.

    `height`: how many schemas deep it is.
    """

    steps: int
    checks: int
    height: int


def cost_of(schema: Schema, pattern_steps: PatternSteps) -> Cost:
    """What one value costs. Raises Untenable. A malformed schema has a cost too: whether it is one is another question."""
    found = _Walk(schema, pattern_steps).cost_of(schema, 0)
    if found.steps > MAX_STEPS:
        raise Untenable(
            f"asks for up to {found.steps:,} steps per value, and at most {MAX_STEPS:,} are made; "
            "use fewer or shorter patterns (minLength and maxLength instead of counted repetition), alternatives or $refs"
        )
    return found


class _Walk:
    """One pass over a schema, each part once: what a part costs is kept by its identity."""

    def __init__(self, schema: Schema, pattern_steps: PatternSteps) -> None:
        self._schema = schema
        self._pattern_steps = pattern_steps
        self._known: dict[int, Cost | None] = {}  # None: we are inside it
        self._anchors: dict[str, Schema] = {}
        self._find_anchors(schema, 0)

    def cost_of(self, part: Any, depth: int) -> Cost:
        """The cost of a part of the schema. Raises Untenable."""
        if not isinstance(part, dict):
            return Cost(1, 1, 0)
        here = cast(Schema, part)
        known = self._known.get(id(here), Cost(0, 0, 0))
        if known is None:
            raise Untenable("refers back to itself; write out as many levels as the metadata may have")
        if depth + known.height > MAX_DEPTH:
            raise Untenable(f"is nested more than {MAX_DEPTH} schemas deep, where a $ref counts with what it refers to")
        if not known.steps:
            self._known[id(here)] = None
            known = self._known[id(here)] = self._sum(here, depth)
        return known

    def _sum(self, here: Schema, depth: int) -> Cost:
        steps, checks, height = 1, 1, 0
        for keyword, value in here.items():
            for inner in self._parts(here, keyword, value):
                cost = self.cost_of(inner, depth + 1)
                height = max(height, cost.height + 1)
                if keyword not in _KEPT:
                    steps, checks = steps + cost.steps, checks + cost.checks
            own_steps, own_checks = self._own(keyword, value)
            steps, checks = steps + own_steps, checks + own_checks
        again = _UNEVALUATED if _AGAIN & here.keys() else 1
        return Cost(steps * again, checks * again, height)

    def _parts(self, here: Schema, keyword: str, value: Any) -> list[Any]:
        """The schemas that a keyword holds or leads to."""
        if keyword == "$ref":
            return [self._target(value)]
        if keyword in _ELSEWHERE or (keyword == "$id" and here is not self._schema):
            raise Untenable(f"uses {keyword}, which is not supported here; use $defs with $ref")
        return _inside(keyword, value)

    def _own(self, keyword: str, value: Any) -> tuple[int, int]:
        """Steps and checks of a keyword besides those of the schemas in it."""
        if keyword == "pattern" and isinstance(value, str):
            return self._pattern_steps(value), 1
        if keyword == "patternProperties" and isinstance(value, dict):
            return sum(map(self._pattern_steps, cast(Schema, value))), 0
        if keyword in _ONE or keyword in _SEVERAL or keyword in _NAMED or keyword in _KEPT:
            return 0, 0
        size = values_in(value)
        return size, size

    def _target(self, ref: Any) -> Any:
        if not isinstance(ref, str) or not ref.startswith("#"):
            raise Untenable("has a $ref that leads out of it; keep all of it in one place and refer to '#/$defs/…'")
        pointer = unquote(ref[1:])
        if pointer and not pointer.startswith("/"):
            return self._anchors.get(pointer)
        found: Any = self._schema
        for word in pointer.split("/")[1:]:
            found = _step(found, word.replace("~1", "/").replace("~0", "~"))
        return found

    def _find_anchors(self, part: Any, depth: int) -> None:
        if not isinstance(part, dict) or depth > MAX_DEPTH:
            return
        here = cast(Schema, part)
        for keyword, value in here.items():
            if keyword in ("$anchor", "$dynamicAnchor") and isinstance(value, str):
                if value in self._anchors:
                    raise Untenable(f"has the anchor '{value}' twice; name each once")
                self._anchors[value] = here
            for inner in _inside(keyword, value):
                self._find_anchors(inner, depth + 1)


def values_in(value: Any) -> int:
    """How many JSON values there are in a value, itself included."""
    if isinstance(value, dict):
        return 1 + sum(map(values_in, cast(Schema, value).values()))
    if isinstance(value, list):
        return 1 + sum(map(values_in, cast("list[Any]", value)))
    return 1


def _inside(keyword: str, value: Any) -> list[Any]:
    """The schemas that stand in a keyword's value."""
    if keyword in _ONE:
        return [value]
    if keyword in _SEVERAL and isinstance(value, list):
        return cast("list[Any]", value)
    if (keyword in _NAMED or keyword in _KEPT) and isinstance(value, dict):
        return list(cast(Schema, value).values())
    return []


def _step(found: Any, word: str) -> Any:
    """One step of a JSON pointer; what is not there costs nothing, and the compiler refuses it."""
    if isinstance(found, dict):
        return cast(Schema, found).get(word)
    if isinstance(found, list) and word.isdecimal() and len(word) < 6:
        items = cast("list[Any]", found)
        return items[int(word)] if int(word) < len(items) else None
    return None
