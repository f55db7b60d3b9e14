"""Collects the routes that the resource files declare."""

from __future__ import annotations

import functools
import importlib
import pkgutil

from z4j_brain import api
from z4j_brain.api.route import Route


@functools.cache
def all_routes() -> tuple[Route, ...]:
    """Import every module of `z4j_brain.api` and return its routes; raises `RouteError`."""
    found: dict[int, Route] = {}
    for info in sorted(pkgutil.iter_modules(api.__path__), key=lambda info: info.name):
        module = importlib.import_module(f"{api.__name__}.{info.name}")
        for value in vars(module).values():
            if isinstance(value, Route) and value.handler.__module__ == module.__name__:
                found[id(value)] = value
    return tuple(found.values())
