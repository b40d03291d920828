"""Finds a request's route by the words of its path; a router tries one pattern after the other, at 2 µs each."""

from __future__ import annotations

from collections.abc import Iterable

from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send


class Shortcut(BaseRoute):
    """Goes before the routes it knows, and leaves to them whatever it does not find: 404, 405, a parameter with slashes."""

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        self._by_words: dict[tuple[str, int, str, str], list[Route]] = {}
        for route in routes:
            # A `:path` parameter has no fixed number of words, and any other kind would have to be converted.
            if isinstance(route, APIRoute) and ":" not in route.path and len(_words(route.path)) > 1:
                for method in route.methods or ():
                    self._by_words.setdefault(_shape(method, route.path), []).append(route)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] == "http" and not scope.get("root_path"):  # what a proxy or an outer app took off the path
            path = scope["path"]
            for shape in _shapes(scope["method"], path):
                for route in self._by_words.get(shape, ()):
                    # As the route does it, without what is known here: its method fits, and its parameters are text.
                    if match := route.path_regex.match(path):
                        return Match.FULL, {"endpoint": route.endpoint, "path_params": match.groupdict(), "route": route}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        route: Route = scope["route"]
        await route.handle(scope, receive, send)


def _words(path: str) -> list[str]:
    return path.split("/")[1:]


def _shape(method: str, path: str) -> tuple[str, int, str, str]:
    """Method, number of words, the second word and the last; '' where a word is a parameter."""
    words = _words(path)
    return method, len(words), _literal(words[1]), _literal(words[-1])


def _shapes(method: str, path: str) -> tuple[tuple[str, int, str, str], ...]:
    """Those under which a path may be known: with its last word, and with a parameter in its place."""
    words = _words(path)
    if len(words) < 2:  # the shortest path that is known
        return ()
    whole = (method, len(words), words[1], words[-1])
    return whole, (*whole[:3], "")


def _literal(word: str) -> str:
    return "" if word.startswith("{") else word
