"""Reads the runnable blocks of a document, runs them in one shell, and compares what they print with what it shows.

A fence ```` ```sh run ```` is run; a fence ```` ```text output ```` right after it shows what it prints. Ids, times and secrets
differ from run to run, so both sides are compared with those replaced. BACKCHANNEL_UPDATE_DOCS=1 writes the
documents' output fences anew.
"""

from __future__ import annotations

import itertools
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)

# What differs from run to run, most specific first.
VOLATILE = (
    (re.compile(r"bck_[\w-]+\.[\w-]{8,}"), "<api key>"),
    (re.compile(r"bck_[\w-]{6,}"), "<key id>"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<uuid>"),
    (re.compile(r"\b[0-9a-f]{40,64}\b"), "<hash>"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(\+00:00|Z)?"), "<time>"),
    (re.compile(r"\b\d{13}-\d+"), "<stream id>"),
    (re.compile(r"\b\d{13}\b"), "<ms>"),
    (re.compile(r"(?<=pid)(\s+)\d+"), r"\1<pid>"),
    (re.compile(r"(?<=server)(\s+)\w+ \d+\.\d+\.\d+"), r"\1<server>"),
    (re.compile(r" *\b\d+\.\d+ ?m?s\b"), "<duration>"),
)


@dataclass(frozen=True)
class Block:
    """A fence to run, and where the document shows its output: (start, end) of the text, None when it shows none."""

    line: int
    commands: str
    shown: tuple[int, int] | None


def runnable(document: str) -> list[Block]:
    fences = list(FENCE.finditer(document))
    found: list[Block] = []
    for fence, after in itertools.zip_longest(fences, fences[1:]):
        if fence["info"] == "sh run":
            adjacent = after and after["info"].endswith(" output") and not document[fence.end() : after.start()].strip()
            found.append(
                Block(
                    line=document.count("\n", 0, fence.start()) + 1,
                    commands=fence["body"],
                    shown=after.span("body") if after and adjacent else None,
                )
            )
    return found


def steady(text: str) -> str:
    """The text with everything that differs from run to run replaced."""
    for pattern, name in VOLATILE:
        text = pattern.sub(name, text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def run(blocks: list[Block], *, env: dict[str, str], cwd: Path, rewrite: dict[str, str]) -> list[str]:
    """What each block printed, run one after the other in one shell that ends at the first failing command.

    `rewrite`: what stands in the document -> what stands for it in this run (an address, a folder); undone in the output.
    """
    script = ["set -euo pipefail"]
    for number, block in enumerate(blocks):
        script += [f"echo 'at line {block.line}' >&2", "{", block.commands, f"}} > {cwd}/printed-{number}"]
    text = "\n".join(script)
    for written, meant in rewrite.items():
        text = text.replace(written, meant)
    done = subprocess.run(
        ["bash", "-c", text],
        env=env,
        cwd=cwd,
        text=True,
        capture_output=True,
        timeout=120,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, f"exit code {done.returncode}:\n{done.stderr}"
    printed = [(cwd / f"printed-{number}").read_text(encoding="utf-8") for number in range(len(blocks))]
    for written, meant in rewrite.items():
        printed = [one.replace(meant, written) for one in printed]
    return printed


def check(path: Path, blocks: list[Block], printed: list[str]) -> None:
    """Every shown output is what was printed; with BACKCHANNEL_UPDATE_DOCS it becomes so."""
    document = path.read_text(encoding="utf-8")
    if os.environ.get("BACKCHANNEL_UPDATE_DOCS"):
        for block, output in reversed(list(zip(blocks, printed, strict=True))):
            if block.shown and steady(output) != steady(document[slice(*block.shown)]):
                written = VOLATILE[0][0].sub(VOLATILE[0][1], output.rstrip())  # no secret, not even a spent one
                document = document[: block.shown[0]] + written + "\n" + document[block.shown[1] :]
        path.write_text(document, encoding="utf-8")
        return
    for block, output in zip(blocks, printed, strict=True):
        if block.shown:
            assert steady(output) == steady(document[slice(*block.shown)]), f"{path.name} line {block.line}: the output differs"
