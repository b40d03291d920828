"""A channel's metadata_schema: JSON Schema (draft 2020-12), of which no author can make a weapon against the process.

Whoever owns a channel writes its schema, and each post there is checked against it in the bus's own process. So a schema
is taken only when its text bounds what a check costs (bus/schema_cost.py), and patterns run on a linear-time engine.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any, Final, cast

import jsonschema_rs
from pydantic_core import to_json

from . import checks
from .errors import ContentTooLarge, InvalidInput
from .schema_cost import Cost, Untenable, cost_of, values_in

MAX_BYTES: Final = 16_384
MAX_VIOLATIONS: Final = 20
_FIELD = "metadata_schema"
_PATTERN_BYTES = tuple(1 << power for power in range(9, 17))
"""Sizes of a compiled pattern: a text costs steps per character in proportion to it. The last is the most there may be."""
_BYTES_PER_STEP = 128
_COMPILED = 64
# Measured: a step of one value takes about 10 ns; something found takes 20 µs, most of it to say where.
_MOST_STEPS = 20_000_000
_MOST_FINDINGS = 10_000
_MASK = "the value"  # said instead of the value itself, which the caller has and which may be long
_MOST_CHARS = 200


@dataclass(frozen=True, slots=True)
class _Compiled:
    validator: jsonschema_rs.Draft202012Validator
    cost: Cost
    alternatives: bool
    """Has `anyOf` or `oneOf`: what is wrong with each alternative is found out, even for the first violation."""


def schema_text(value: Mapping[str, Any] | None) -> str:
    """The schema as JSON text; '' for None and {}, which ask nothing of the metadata.

    What is no keyword of JSON Schema means nothing, and `format` is a note. Raises InvalidInput
    (invalid_metadata_schema): no valid schema, over 16 KiB, nested over 32 schemas deep, a `$ref` that leads out of the
    schema or back to itself, a pattern outside linear-time regular expressions, or too costly to check.
    """
    if value is None:
        return ""
    if not isinstance(value, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers hand on what they were sent
        raise _invalid("must be a JSON object")
    if not value:
        return ""
    try:
        text = checks.json_text(dict(value), max_bytes=MAX_BYTES, field=_FIELD)
    except (InvalidInput, ContentTooLarge) as why:
        raise _invalid(why.message.removeprefix(_FIELD).strip()) from None
    _compiled(text)
    return text


def violations(text: str, metadata: Mapping[str, Any]) -> list[dict[str, str]]:
    """What of the metadata does not fit the schema of that text: {field, issue} each, at most 20; empty when all does.

    `field`: the dotted path from `metadata`. Where there is too much to look at, one violation says so.
    """
    if not text:
        return []
    schema = _compiled(text)
    if schema.cost.steps * len(to_json(metadata)) > _MOST_STEPS:
        return [_violation((), "is too large to be checked against this schema; send less")]
    if schema.validator.is_valid(metadata):
        return []
    findings = schema.cost.checks * values_in(metadata)
    if findings > _MOST_FINDINGS and schema.alternatives:
        return [_violation((), "does not fit the channel's metadata_schema, and is too large to say where")]
    found = _first(schema, metadata) if findings > _MOST_FINDINGS else schema.validator.iter_errors(metadata)
    return list(islice((each for error in found for each in _told(error)), MAX_VIOLATIONS))


def _first(schema: _Compiled, metadata: Mapping[str, Any]) -> list[jsonschema_rs.ValidationError]:
    try:
        schema.validator.validate(metadata)
    except jsonschema_rs.ValidationError as error:
        return [error]
    return []


def _told(error: jsonschema_rs.ValidationError) -> Iterator[dict[str, str]]:
    kinds = jsonschema_rs.ValidationErrorKind
    if isinstance(error.kind, kinds.Required):
        yield _violation((*error.instance_path, error.kind.property), "is required")
    elif isinstance(error.kind, kinds.AdditionalProperties | kinds.UnevaluatedProperties):
        for name in error.kind.unexpected:
            yield _violation((*error.instance_path, name), "is not allowed")
    elif isinstance(error.kind, kinds.FalseSchema):
        others = error.schema_path[-1:] == ["additionalProperties"]
        yield _violation(error.instance_path, "may hold nothing" if others else "is not allowed")
    else:
        yield _violation(error.instance_path, error.message.removeprefix(_MASK).strip())


def _violation(place: tuple[str | int, ...] | list[str | int], issue: str) -> dict[str, str]:
    return {"field": _short(".".join(map(str, ("metadata", *place)))), "issue": _short(issue)}


def _short(text: str) -> str:
    return text if len(text) <= _MOST_CHARS else f"{text[: _MOST_CHARS - 1]}…"


@lru_cache(maxsize=_COMPILED)
def _compiled(text: str) -> _Compiled:
    """The schema, ready to be used. Raises InvalidInput."""
    schema = cast("dict[str, Any]", json.loads(text))
    try:
        # Its structure first: some $refs and $ids make the library panic. Its patterns last: until then they may be none.
        cost_of(schema, lambda _: 1)
        validator = _validator(schema, _PATTERN_BYTES[-1])
        cost = cost_of(schema, _pattern_steps)
    except jsonschema_rs.ValidationError as error:
        place = ".".join(map(str, error.instance_path)) or "the top"
        raise _invalid(f"is no valid JSON Schema: at {_short(place)}, {_short(_reason(error))}") from None
    except Untenable as why:
        raise _invalid(str(why)) from None
    return _Compiled(validator, cost, "anyOf" in text or "oneOf" in text)


def _validator(schema: dict[str, Any], pattern_bytes: int) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(
        schema,
        mask=_MASK,
        offline=True,
        validate_formats=False,
        pattern_options=jsonschema_rs.RegexOptions(size_limit=pattern_bytes, dfa_size_limit=65_536),
    )


def _pattern_steps(pattern: str) -> int:
    """By the size of the program that it compiles to. Raises jsonschema_rs.ValidationError when that is past the limit."""
    for size in _PATTERN_BYTES[:-1]:
        try:
            _validator({"pattern": pattern}, size)
        except jsonschema_rs.ValidationError:
            continue
        return size // _BYTES_PER_STEP
    _validator({"pattern": pattern}, _PATTERN_BYTES[-1])
    return _PATTERN_BYTES[-1] // _BYTES_PER_STEP


def _reason(error: jsonschema_rs.ValidationError) -> str:
    if isinstance(error.kind, jsonschema_rs.ValidationErrorKind.Format) and error.kind.format == "regex":
        return (
            "this pattern is malformed, compiles to too much (say minLength and maxLength instead of .{1,80}), or uses "
            "look-around or back-references, which linear-time regular expressions do not have"
        )
    return error.message


def _invalid(why: str) -> InvalidInput:
    return InvalidInput(f"{_FIELD} {why}", field=_FIELD, code=f"invalid_{_FIELD}")
