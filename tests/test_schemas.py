"""metadata_schema against authors who mean harm: what is taken, what is refused, and what a check costs at worst."""

from __future__ import annotations

import json
import random
import time
from typing import Any

import pytest

from bus.errors import InvalidInput
from bus.schemas import MAX_VIOLATIONS, schema_text, violations

MOST_SECONDS = 5.0
"""The worst check that we know how to ask for takes 0.2 s on an idle core; these run beside others, on slow machines."""
_RANDOM = random.Random(7)
_LETTERS = "".join(_RANDOM.choice("ab") for _ in range(16_000))
INTEGERS: dict[str, Any] = {"a": [7] * 8_000}
MANY: dict[str, Any] = {f"k{n:x}": n for n in range(1_200)}


def at_a(schema: Any) -> dict[str, Any]:
    return {"properties": {"a": schema}}


def nested(levels: int, schema: dict[str, Any], **keywords: Any) -> dict[str, Any]:
    for _ in range(levels):
        schema = {"allOf": [schema], **keywords}
    return schema


def refused(schema: Any) -> str:
    """Why the schema is not taken."""
    with pytest.raises(InvalidInput) as found:
        schema_text(schema)
    assert (found.value.reason_code, found.value.details["field"]) == ("invalid_metadata_schema", "metadata_schema")
    assert len(found.value.message) < 700
    return found.value.message


@pytest.mark.parametrize("nothing", [None, {}])
def test_no_schema_is_no_text(nothing: dict[str, Any] | None) -> None:
    """Nothing is asked of the metadata then."""
    assert schema_text(nothing) == ""
    assert violations("", {"any": "thing"}) == []


@pytest.mark.parametrize("pseudo", [{"severity": "string"}, {"fields": ["a", "b"]}, {"severity": {"low": 1}}])
def test_what_is_no_keyword_means_nothing(pseudo: dict[str, Any]) -> None:
    """Many channels were made with a note of their fields instead of a schema."""
    text = schema_text(pseudo)
    assert json.loads(text) == pseudo
    assert violations(text, {"severity": 5}) == []


def test_violations_say_where_and_what() -> None:
    """The dotted path from `metadata`, in words, without the value."""
    text = schema_text(
        {
            "type": "object",
            "required": ["severity"],
            "additionalProperties": False,
            "properties": {
                "severity": {"enum": ["low", "high"]},
                "owner": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "minLength": 2}}},
                "tags": {"type": "array", "items": {"type": "string", "pattern": "^[a-z]+$"}},
                "never": False,
            },
        }
    )
    assert violations(text, {"severity": "low", "tags": ["ab"], "owner": {"name": "ann"}}) == []
    found = violations(text, {"owner": {}, "tags": ["ab", "A secret!", 5], "colour": "red", "never": 1})
    assert {each["field"]: each["issue"] for each in found} == {
        "metadata.severity": "is required",
        "metadata.owner.name": "is required",
        "metadata.tags.1": 'does not match "^[a-z]+$"',
        "metadata.tags.2": 'is not of type "string"',
        "metadata.colour": "is not allowed",
        "metadata.never": "is not allowed",
    }


def test_a_format_is_a_note() -> None:
    """As the draft has it: `format` says what is meant, and refuses nothing."""
    assert violations(schema_text(at_a({"format": "email"})), {"a": "no address"}) == []


def test_violations_are_few_and_short() -> None:
    """However much is wrong, and however long the names are."""
    text = schema_text({"additionalProperties": {"const": "x" * 10_000}})
    found = violations(text, {f"{'n' * 500}{n}": n for n in range(25)})
    assert len(found) == MAX_VIOLATIONS
    assert all(len(each["field"]) <= 200 and len(each["issue"]) <= 200 for each in found)


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ([], "must be a JSON object"),
        ("x", "must be a JSON object"),
        ({"type": "strng"}, "at type,"),
        (at_a("string"), "at properties.a,"),
        ({"minimum": float("nan")}, "nan"),
        ({"const": "\ud800"}, "surrogate"),
        ({"const": "x" * 16_384}, "at most 16384"),
        ({"exclusiveMinimum": True}, "at exclusiveMinimum,"),
        (at_a({"pattern": "(a"}), "at properties.a.pattern, this pattern is malformed"),
        (at_a({"pattern": "(?=a)b"}), "look-around"),
        ({"patternProperties": {r"(a)\1": True}}, "look-around"),
        (at_a({"pattern": "((a{1,100}){1,100}){1,100}"}), "compiles to too much"),
        ({"$ref": "http://127.0.0.1:9/x"}, "leads out"),
        ({"$ref": "file:///etc/passwd"}, "leads out"),
        ({"$ref": "https://json-schema.org/draft/2020-12/schema"}, "leads out"),
        ({"allOf": [{"$id": "http://a/b"}]}, "uses $id"),
        ({"$dynamicRef": "#x"}, "uses $dynamicRef"),
        ({"$recursiveRef": "#"}, "uses $recursiveRef"),
        ({"$ref": "#/$defs/none"}, "does not exist"),
        ({"$ref": "#nowhere"}, "nowhere"),
        ({"$anchor": "x", "not": {"$anchor": "x"}}, "twice"),
        ({"$ref": "#"}, "back to itself"),
        ({"allOf": [{"$ref": "#"}]}, "back to itself"),
        ({"additionalProperties": {"$ref": "#"}}, "back to itself"),
        ({"dependencies": {"a": {"$ref": "#"}}}, "back to itself"),
        ({"$anchor": "x", "not": {"$ref": "#x"}}, "back to itself"),
        ({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"not": {"$ref": "#/$defs/a"}}}}, "back to itself"),
        ({"x": {"items": {"$ref": "#/x"}}, "$ref": "#/x"}, "back to itself"),
        ({"x": {"items": {"$ref": "#/%78"}}, "$ref": "#/x"}, "back to itself"),
        ({"a/b": {"items": {"$ref": "#/a~1b"}}, "$ref": "#/a~1b"}, "back to itself"),
        (nested(40, {}), "nested more than"),
        (nested(8, {}, unevaluatedProperties=True), "steps per value"),
        (at_a({"allOf": [{"pattern": f"([ab]{{0,40}}a){{12}}{n}"} for n in range(6)]}), "steps per value"),
    ],
)  # fmt: skip
def test_a_schema_that_cannot_be_taken_is_refused(schema: Any, why: str) -> None:
    """One code, and a sentence that says what is wrong with it."""
    assert why in refused(schema)


@pytest.mark.parametrize("keyword", ["allOf", "anyOf", "oneOf"])
def test_refs_that_multiply_are_refused(keyword: str) -> None:
    """Two references to two references to …: a few hundred bytes that would ask for a billion checks."""
    doubled = {f"d{n}": {keyword: [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(15)}
    assert "steps per value" in refused({"$defs": {**doubled, "d15": {"required": ["x"]}}, "$ref": "#/$defs/d0"})


def test_a_long_chain_of_refs_is_refused() -> None:
    """A step down the stack for each; the refusal does not depend on how deep ours is."""
    chain = {f"d{n}": {"$ref": f"#/$defs/d{n + 1}"} for n in range(450)}
    assert "nested more than" in refused({"$defs": {**chain, "d450": {}}, "$ref": "#/$defs/d0"})


def test_a_word_of_a_schema_is_also_a_name() -> None:
    """A property may be called `$ref`, and data may look like a schema."""
    text = schema_text({"properties": {"$ref": {"type": "integer"}, "b": {"const": {"$ref": "#"}, "default": {"$id": "x"}}}})
    assert violations(text, {"$ref": 1, "b": {"$ref": "#"}}) == []
    assert [each["field"] for each in violations(text, {"$ref": "x"})] == ["metadata.$ref"]


def test_definitions_can_be_used_again() -> None:
    """`$defs`, `definitions`, an anchor: any reference that comes to an end."""
    text = schema_text(
        {
            "$id": "https://example.com/task",
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$defs": {"name": {"$anchor": "n", "type": "string"}, "who": {"properties": {"first": {"$ref": "#n"}}}},
            "definitions": {"x": {"type": "null"}},
            "properties": {
                "from": {"$ref": "#/$defs/who"}, "to": {"$ref": "#/$defs/who"}, "x": {"$ref": "#/definitions/x"},
            },
        }
    )  # fmt: skip
    found = violations(text, {"from": {"first": 1}, "to": {"first": "bob"}, "x": 0})
    assert [each["field"] for each in found] == ["metadata.from.first", "metadata.x"]


WORST: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (at_a({"items": {"allOf": [{"type": "integer"}] * 330}}), INTEGERS),
    (at_a({"items": {"allOf": [{"type": "string"}] * 330}}), INTEGERS),
    (at_a({"items": {"enum": list(range(10, 1_000))}}), INTEGERS),
    (at_a({"anyOf": [{"items": {"allOf": [{"type": "string"}] * 300}}]}), INTEGERS),
    (at_a({"items": {"anyOf": [{"allOf": [{"type": "string"}] * 70}] * 6}}), INTEGERS),
    (at_a({"allOf": [{"contains": {"type": "string"}}] * 300}), INTEGERS),
    (at_a({"allOf": [{"uniqueItems": True}] * 450}), {"a": [{"x": n} for n in range(1_500)]}),
    (at_a({"items": {"allOf": [{"multipleOf": 1e-300 + n * 1e-305} for n in range(300)]}}), {"a": [1e300] * 1_500}),
    (nested(4, {"properties": {"b": True}}, unevaluatedProperties={"type": "integer"}), MANY),
    ({"propertyNames": {"allOf": [{"maxLength": 1}] * 450}}, MANY),
    ({"additionalProperties": False, "required": [f"r{n}" for n in range(900)]}, MANY),
    (at_a({"pattern": "^(a+)+$"}), {"a": "a" * 16_000 + "!"}),
    (at_a({"allOf": [{"pattern": f"([ab]{{0,40}}a){{12}}{n}"} for n in range(1)]}), {"a": _LETTERS}),
    (at_a({"anyOf": [{"pattern": f"(a|b)*a(a|b){{90}}{n}"} for n in range(7)]}), {"a": _LETTERS}),
    ({"patternProperties": {f"^(k|{n})+.a*$": {"type": "integer"} for n in range(50)}}, MANY),
    (at_a({"items": {"oneOf": [{"const": n} for n in range(90)]}}), {"a": [100] * 50}),
]


@pytest.mark.parametrize(("schema", "metadata"), WORST, ids=[f"{n}" for n in range(len(WORST))])
def test_the_worst_that_is_taken_is_soon_done(schema: dict[str, Any], metadata: dict[str, Any]) -> None:
    """Schemas near what is allowed at all against the largest metadata: bounded work, whether it fits or not."""
    started = time.perf_counter()
    text = schema_text(schema)
    found = violations(text, metadata)
    assert time.perf_counter() - started < MOST_SECONDS
    assert len(found) <= MAX_VIOLATIONS
    assert found == [] or all(each["field"].startswith("metadata") for each in found)


def test_metadata_beyond_what_can_be_checked_do_not_fit() -> None:
    """An operator may allow metadata of a megabyte: then a costly schema is not run over all of it."""
    text = schema_text(at_a({"items": {"allOf": [{"type": "integer"}] * 300}}))
    found = violations(text, {"a": [7] * 300_000})
    assert found == [{"field": "metadata", "issue": "is too large to be checked against this schema; send less"}]
