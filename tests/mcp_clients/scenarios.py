"""Which scenarios of the official conformance suite apply to this server, and why the others do not."""

from __future__ import annotations

from typing import Final

PASS: Final = "passes"
FIXTURE: Final = "calls a tool, resource or prompt of a test server"
ASKS: Final = "wants a tool that asks the client for input; none here does"
_COMPLETION: Final = "completion, an optional capability that is not declared: no argument has few values to choose of"
_LOGGING: Final = "logging to the client, an optional capability that is not declared, and deprecated"
_SUBSCRIBE: Final = "resource subscriptions, an optional capability that is not declared: waiting calls do that"
_HEADERS: Final = "x-mcp-header, an optional annotation of tool arguments: no proxy here routes by them"

BY_VERSION: Final[dict[str, dict[str, str]]] = {
    "2025-11-25": {
        "server-initialize": PASS,
        "server-session-lifecycle": PASS,
        "logging-set-level": _LOGGING,
        "ping": PASS,
        "completion-complete": _COMPLETION,
        "tools-list": PASS,
        "tools-call-simple-text": FIXTURE,
        "tools-call-image": FIXTURE,
        "tools-call-audio": FIXTURE,
        "tools-call-embedded-resource": FIXTURE,
        "tools-call-mixed-content": FIXTURE,
        "tools-call-with-logging": _LOGGING,
        "tools-call-error": FIXTURE,
        "tools-call-with-progress": FIXTURE,
        "tools-call-sampling": ASKS,
        "tools-call-elicitation": ASKS,
        "json-schema-2020-12": FIXTURE,
        "elicitation-sep1034-defaults": ASKS,
        "server-sse-polling": "closes the stream of a test tool's call",
        "server-sse-multiple-streams": PASS,
        "elicitation-sep1330-enums": ASKS,
        "resources-list": PASS,
        "resources-read-text": FIXTURE,
        "resources-read-binary": FIXTURE,
        "resources-templates-read": FIXTURE,
        "resources-subscribe": _SUBSCRIBE,
        "resources-unsubscribe": _SUBSCRIBE,
        "prompts-list": PASS,
        "prompts-get-simple": FIXTURE,
        "prompts-get-with-args": FIXTURE,
        "prompts-get-embedded-resource": FIXTURE,
        "prompts-get-with-image": FIXTURE,
        "dns-rebinding-protection": PASS,
    },
    "2026-07-28": {
        "server-stateless": PASS,
        "completion-complete": _COMPLETION,
        "tools-list": PASS,
        "tools-call-simple-text": FIXTURE,
        "tools-call-image": FIXTURE,
        "tools-call-audio": FIXTURE,
        "tools-call-embedded-resource": FIXTURE,
        "tools-call-mixed-content": FIXTURE,
        "tools-call-error": FIXTURE,
        "tools-call-with-progress": FIXTURE,
        "json-schema-2020-12": FIXTURE,
        "server-sse-multiple-streams": PASS,
        "resources-list": PASS,
        "resources-read-text": FIXTURE,
        "resources-read-binary": FIXTURE,
        "resources-templates-read": FIXTURE,
        "sep-2164-resource-not-found": PASS,
        "prompts-list": PASS,
        "prompts-get-simple": FIXTURE,
        "prompts-get-with-args": FIXTURE,
        "prompts-get-embedded-resource": FIXTURE,
        "prompts-get-with-image": FIXTURE,
        "dns-rebinding-protection": PASS,
        "caching": PASS,
        "http-header-validation": PASS,
        "http-custom-header-server-validation": _HEADERS,
        "input-required-result-basic-elicitation": ASKS,
        "input-required-result-basic-sampling": ASKS,
        "input-required-result-basic-list-roots": ASKS,
        "input-required-result-request-state": ASKS,
        "input-required-result-multiple-input-requests": ASKS,
        "input-required-result-multi-round": ASKS,
        "input-required-result-missing-input-response": ASKS,
        "input-required-result-non-tool-request": ASKS,
        "input-required-result-result-type": ASKS,
        "input-required-result-unsupported-methods": PASS,
        "input-required-result-tampered-state": ASKS,
        "input-required-result-capability-check": ASKS,
        "input-required-result-ignore-extra-params": PASS,
        "input-required-result-validate-input": ASKS,
    },
}
"""Scenarios of extensions (tasks, skills) stand in no version: the server declares none."""

EXCUSED: Final = {
    "sep-2575-server-rejects-undeclared-capability": "calls a tool of a test server that wants sampling",
    "sep-2575-missing-capability-http-400": "the same tool",
}
"""Single checks of scenarios that pass otherwise."""
