"""The description of the API is complete and true of the API."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.openapi.models import OpenAPI
from pydantic import TypeAdapter

from api.app import create_app
from api.errors import STATUS
from bus import Settings

Operation = tuple[str, str, dict[str, Any]]
PUBLIC = {"issue_key", "health", "ready", "status"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return json.loads(json.dumps(create_app(Settings(redis_url="memory://")).openapi()))


@pytest.fixture
def operations(document: dict[str, Any]) -> list[Operation]:
    return [(path, method, each) for path, methods in document["paths"].items() for method, each in methods.items()]


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """What a `$ref` of the document points to."""
    while "$ref" in schema:
        place: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            place = place[part]
        schema = place
    return schema


KINDS = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}


def problems(document: dict[str, Any], schema: dict[str, Any], value: Any, where: str) -> list[str]:
    """Where the value is not as the schema has it: required members, types, members of objects and lists."""
    schema = resolved(document, schema)
    if "anyOf" in schema:
        found = [problems(document, each, value, where) for each in schema["anyOf"]]
        return [] if [] in found else found[0]
    if "type" in schema and not isinstance(value, KINDS[schema["type"]]):
        return [f"{where} is no {schema['type']}"]
    if value not in schema.get("enum", [value]):
        return [f"{where} is not one of {schema['enum']}"]
    if isinstance(value, dict):
        known = schema.get("properties", {})
        wrong = [f"{where}.{name} is missing" for name in schema.get("required", []) if name not in value]
        return wrong + [
            each for name in known if name in value for each in problems(document, known[name], value[name], f"{where}.{name}")
        ]
    if isinstance(value, list) and "items" in schema:
        return [each for n, item in enumerate(value) for each in problems(document, schema["items"], item, f"{where}[{n}]")]
    return []


def test_every_operation_says_what_it_is(operations: list[Operation]) -> None:
    """A name of its own, a summary, a description, and who may call it."""
    names = [operation["operationId"] for _, _, operation in operations]
    assert len(names) == len(set(names)) >= 27
    for path, method, operation in operations:
        assert operation["summary"], (path, method)
        assert operation["description"], (path, method)
        needs = [{"AdminToken": []}] if path.startswith("/v1/admin/") else [{"ApiKeyAuth": []}, {"BearerAuth": []}]
        assert operation.get("security", []) == ([] if operation["operationId"] in PUBLIC else needs)


def test_every_answer_has_a_shape_and_a_fitting_example(document: dict[str, Any], operations: list[Operation]) -> None:
    """An example that its own schema refuses would mislead whoever writes a client by it."""
    for path, method, operation in operations:
        for status, answer in operation["responses"].items():
            assert answer["description"]
            if status == "204":
                assert "content" not in answer
                continue
            content = answer["content"]["application/json"]
            assert problems(document, content["schema"], content["example"], f"{method} {path} {status}") == []


def test_every_body_has_a_fitting_example(document: dict[str, Any], operations: list[Operation]) -> None:
    """Each field is described, and the example is taken by the schema."""
    bodies = [each for each in operations if "requestBody" in each[2]]
    assert len(bodies) >= 14
    for path, method, operation in bodies:
        schema = resolved(document, operation["requestBody"]["content"]["application/json"]["schema"])
        assert all(field.get("description") for field in schema["properties"].values()), path
        (example,) = schema["examples"]
        assert set(example) <= set(schema["properties"])
        assert problems(document, schema, example, f"{method} {path}") == []


def test_every_error_answer_is_in_the_one_shape(document: dict[str, Any], operations: list[Operation]) -> None:
    """And under the status that the table gives its codes."""
    for path, _, operation in operations:
        errors = {status: answer for status, answer in operation["responses"].items() if int(status) >= 400}
        assert {"500", "503"} <= set(errors), path
        for status, answer in errors.items():
            schema = answer["content"]["application/json"]["schema"]
            assert schema["$ref"].endswith("/ErrorJson"), (path, status)
            codes = answer["description"].replace("`", "").split(", ")
            assert {STATUS.get(code, 422) for code in codes} == {int(status)}


def test_the_document_is_openapi_3_1(document: dict[str, Any]) -> None:
    """With both ways to send a key, the admin token, and every reference resolving."""
    assert document["openapi"] == "3.1.0"
    assert set(document["components"]["securitySchemes"]) == {"ApiKeyAuth", "BearerAuth", "AdminToken"}
    references: list[str] = []

    def collect(value: Any) -> None:
        if isinstance(value, dict):
            references.extend([value["$ref"]] if isinstance(value.get("$ref"), str) else [])
            for each in value.values():
                collect(each)
        elif isinstance(value, list):
            for each in value:
                collect(each)

    collect(document)
    assert references
    for reference in references:
        assert resolved(document, {"$ref": reference})


def test_the_document_loads_as_fastapi_s_own_model(document: dict[str, Any]) -> None:
    """It is valid by the model that FastAPI keeps of OpenAPI 3.1."""
    assert TypeAdapter(OpenAPI).validate_python(document).info.title == "Backchannel"
