"""Random schemas, most of them odd: whatever is taken checks any metadata soon, and brings nothing down."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest

from bus.errors import InvalidInput
from bus.schemas import MAX_VIOLATIONS, schema_text, violations

SCHEMAS = 1_500
MOST_SECONDS = 5.0
NAMES = ["a", "b", "c", "$ref", "not", ""]
LEAVES: dict[str, list[Any]] = {
    "$anchor": ["x", "y"],
    "$id": ["http://h/a", "b", "#x"],
    "$ref": ["#", "#/$defs/a", "#/properties/b", "#/allOf/0", "#x", "#y", "#/not", "#/a", "#/$defs/%61", "x", "/x#"],
    "format": ["email", "regex", "none"],
    "maxContains": [0, 1],
    "minContains": [0, 2],
    "minimum": [0, -1.5, 10**60],
    "multipleOf": [1, 3, 0.1, 1e-300, 10**60],
    "pattern": ["a", "^(a|b)*$", "[", r"\d{2,40}", "(?=a)", "é+"],
    "required": [["a"], ["b", "c"]],
    "type": ["string", "integer", "object", "array", "null", ["object", "array"]],
    "uniqueItems": [True, False],
}
ONE = ["not", "if", "then", "else", "items", "contains", "additionalProperties", "propertyNames", "unevaluatedProperties",
       "unevaluatedItems"]  # fmt: skip
SEVERAL = ["allOf", "anyOf", "oneOf", "prefixItems"]
NAMED = ["properties", "patternProperties", "dependentSchemas", "dependencies", "$defs", "a"]
KEYWORDS = [*LEAVES, *ONE, *SEVERAL, *NAMED, "const", "enum"]


def value(luck: random.Random, depth: int) -> Any:
    kind = luck.random()
    if depth == 0 or kind < 0.3:
        return luck.choice([0, 1, -1, 1.5, 10**60, "", "a", "ab12é", True, None])
    if kind < 0.6:
        return [value(luck, depth - 1) for _ in range(luck.randint(0, 4))]
    return {luck.choice(NAMES): value(luck, depth - 1) for _ in range(luck.randint(0, 4))}


def schema(luck: random.Random, depth: int) -> Any:
    if depth == 0 or luck.random() < 0.1:
        return luck.choice([True, False, {}, {"type": "string"}])
    return {keyword: part(luck, keyword, depth - 1) for keyword in luck.sample(KEYWORDS, luck.randint(1, 5))}


def part(luck: random.Random, keyword: str, depth: int) -> Any:
    if keyword in LEAVES:
        return luck.choice(LEAVES[keyword])
    if keyword in ONE:
        return schema(luck, depth)
    if keyword in SEVERAL:
        return [schema(luck, depth) for _ in range(luck.randint(1, 3))]
    if keyword in NAMED:
        return {luck.choice(NAMES): schema(luck, depth) for _ in range(luck.randint(0, 3))}
    return value(luck, 2) if keyword == "const" else [value(luck, 2) for _ in range(3)]


@pytest.mark.parametrize("seed", range(4))
def test_whatever_schema_is_taken_can_be_checked(seed: int) -> None:
    """No schema brings the library down, and none takes long; one that cannot be taken is refused with its code."""
    luck, taken = random.Random(seed), 0
    for _ in range(SCHEMAS):
        odd = {"properties": {"a": schema(luck, luck.randint(1, 5))}, "b": schema(luck, 2)}
        started = time.perf_counter()
        try:
            text = schema_text(odd)
        except InvalidInput as why:
            assert why.reason_code == "invalid_metadata_schema", odd  # noqa: PT017  # most are refused, and each must be so
            continue
        taken += 1
        for metadata in ({name: value(luck, 4) for name in NAMES} for _ in range(3)):
            found = violations(text, metadata)
            assert len(found) <= MAX_VIOLATIONS
            assert all(each["field"].startswith("metadata") and each["issue"] for each in found), odd
        assert time.perf_counter() - started < MOST_SECONDS, odd
    assert taken > SCHEMAS // 20
