"""A hook of Claude Code: asks the session's Backchannel server what waits for it, and says nothing when that is nothing.

It imports little and waits little, because a prompt waits for it; and it never fails, because the session does not need it.
"""

import contextlib
import json
import os
import re
import socket
import sys

EVENTS = ("SessionStart", "UserPromptSubmit", "Stop")
PATIENCE_SECONDS = 0.13
MOST_SERVERS = 4


def main():
    question = json.load(sys.stdin)
    event, session = str(question.get("hook_event_name")), str(question.get("session_id"))
    if event not in EVENTS or not re.fullmatch("[A-Za-z0-9-]{1,64}", session) or question.get("stop_hook_active"):
        return
    lines = [line for path in servers(session) for line in ask(path, event)]
    if lines:
        json.dump(answer(event, "\n".join(["Backchannel:", *lines])), sys.stdout)


def servers(session):
    config = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    folder = os.path.join(os.environ.get("BACKCHANNEL_CONFIG_DIR") or os.path.join(config, "backchannel"), "sessions")
    found = sorted(name for name in os.listdir(folder) if name.rpartition(".")[0] == session)
    return [os.path.join(folder, name) for name in found[:MOST_SERVERS]]


def ask(path, event):
    with socket.socket(socket.AF_UNIX) as server:
        server.settimeout(PATIENCE_SECONDS)
        try:
            server.connect(path)
            server.sendall(event.encode() + b"\n")
            with server.makefile("r", encoding="utf-8") as lines:
                told = json.loads(lines.readline(65536) or "[]")
        except ConnectionRefusedError:
            os.unlink(path)  # its server was killed
            return []
        except (OSError, ValueError):
            return []
    return [str(line) for line in told]


def answer(event, text):
    if event == "Stop":
        return {"decision": "block", "reason": text}
    return {"hookSpecificOutput": {"hookEventName": event, "additionalContext": text}}


if __name__ == "__main__":
    with contextlib.suppress(OSError, ValueError, AttributeError, RecursionError):
        main()
