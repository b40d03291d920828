"""Tools that refuse what they do not know, and say what was wrong in one line that a model can act on."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast, get_args

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError, UnexpectedToolError
from mcp.server.mcpserver.tools.base import Tool
from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase, FuncMetadata
from mcp_types import CallToolResult, TextContent, ToolAnnotations
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails, to_json

from bus.errors import BusError

from .advice import advise
from .peer_text import escape_line, readable
from .reminders import with_notice


class Metadata(FuncMetadata):
    """The SDK's argument and answer handling, with text left as it was sent and answers without nulls."""

    def pre_parse_json(self, data: dict[str, Any]) -> dict[str, Any]:
        """Some clients send objects and lists as JSON text. Where text is welcome, text is what was meant."""
        takes_text = {name for name, field in self.arg_model.model_fields.items() if _takes_text(field.annotation)}
        parsed = super().pre_parse_json({name: value for name, value in data.items() if name not in takes_text})
        return {name: parsed.get(name, value) for name, value in data.items()}

    def convert_result(self, result: Any) -> CallToolResult:
        """Clients show either the structured answer or the text: both hold the same."""
        structured = readable(cast("BaseModel", result))
        text = to_json(structured).decode()
        return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=structured)


class BusTool(Tool):
    """A tool of the bus. Its function returns a model; what it raises of the bus's errors becomes the answer's text."""

    @classmethod
    def make(cls, fn: Callable[..., Any], title: str, hints: ToolAnnotations, **meta: Any) -> BusTool:
        """The docstring is the description. Arguments it does not have are refused, and its schemas carry no titles."""
        made = cls.from_function(fn, title=title, description=_one_line(fn.__doc__), annotations=hints, meta=meta or None)
        base = made.fn_metadata.arg_model
        strict = type(base.__name__, (base,), {"model_config": ConfigDict(extra="forbid"), "__module__": base.__module__})
        answer = cast("type[BaseModel]", made.fn_metadata.output_model)
        metadata = Metadata(
            arg_model=cast("type[ArgModelBase]", strict),
            output_model=answer,
            output_schema=_outline(answer.model_json_schema(mode="serialization")),
        )
        return cast(
            "BusTool", made.model_copy(update={"fn_metadata": metadata, "parameters": _tidy(strict.model_json_schema())})
        )

    async def run(self, arguments: dict[str, Any], context: Context[Any, Any], convert_result: bool = False) -> Any:
        """Raises ToolError: `code: what happened. Next: what to do.`; either way with a notice of what changed meanwhile."""
        return await with_notice(context, arguments, lambda: self._run(arguments, context, convert_result))

    async def _run(self, arguments: dict[str, Any], context: Context[Any, Any], convert_result: bool) -> Any:
        try:
            return await super().run(arguments, context, convert_result)
        except UnexpectedToolError as error:
            if isinstance(error.__cause__, BusError):
                raise ToolError(advise(error.__cause__)) from error.__cause__
            raise
        except ToolError as error:
            if isinstance(error.__cause__, ValidationError):
                raise ToolError(self._argument_errors(error.__cause__)) from error.__cause__
            raise

    def _argument_errors(self, error: ValidationError) -> str:
        names = sorted(cast("dict[str, Any]", self.parameters["properties"]))
        found = "; ".join(_describe(detail, names) for detail in error.errors(include_url=False, include_input=False)[:5])
        return f"invalid_arguments: {escape_line(found)}. Nothing was done. Next: call {self.name} again with that corrected."


def _describe(detail: ErrorDetails, names: list[str]) -> str:
    field = ".".join(str(part) for part in detail["loc"]) or "the arguments"
    if detail["type"] == "missing":
        return f"{field} is missing"
    if detail["type"] == "extra_forbidden":
        near = difflib.get_close_matches(field, names, 1)
        return f"there is no argument {field[:60]} (did you mean {near[0]}?)" if near else (
            f"there is no argument {field[:60]} (it takes {', '.join(names)})"
        )  # fmt: skip
    return f"{field}: {detail['msg'][:1].lower()}{detail['msg'][1:]}"


def _takes_text(annotation: Any) -> bool:
    return annotation in (str, Any) or str in get_args(annotation)


def _one_line(doc: str | None) -> str:
    return " ".join((doc or "").split())


def _tidy(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema without what costs tokens and tells a model nothing. Limits that are left out hold all the same."""
    return cast("dict[str, Any]", _tidied(schema, frozenset({"title"})))


def _outline(schema: Mapping[str, Any]) -> dict[str, Any]:
    """What every answer of the tool has. What it may have besides is told by the tool's description, where it matters."""
    return {"type": "object", "required": schema["required"]}


def _tidied(node: Any, without: frozenset[str]) -> Any:
    if isinstance(node, list):
        return [_tidied(item, without) for item in cast("Iterable[Any]", node)]
    if not isinstance(node, dict):
        return node
    kept: dict[str, Any] = {}
    for word, value in cast("dict[str, Any]", node).items():
        if word in ("properties", "$defs"):  # its keys are names, `title` perhaps among them
            kept[word] = {name: _tidied(part, without) for name, part in value.items()}
        elif word not in without and (word, value) not in _SAYS_NOTHING:
            kept[word] = _tidied(value, without)
    options = [option for option in kept.pop("anyOf", []) if option != {"type": "null"}]
    if len(options) == 1:
        return {**options[0], **kept}
    return {**kept, "anyOf": options} if options else kept


_SAYS_NOTHING = (("additionalProperties", True), ("default", None), ("minimum", 0), ("minimum", 1), ("default", 0))
