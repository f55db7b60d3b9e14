"""What a plugin offers, where it does not, and the reasons that it gives itself, as Markdown."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import msgspec

from z4j_core.capability import Target
from z4j_core.frames import ActionInfo
from z4j_core.plugins.offering import Offering

Asked = Iterator[tuple[str, Offering]]
"""A plugin in each kind of process, with the words for it; it is asked before the next one."""

_PLUGINS = {
    "celery": "in_celery:engine",
    "celery-beat": "in_celery:beat",
    "django-celery-beat": "in_celery:django_beat",
    "celery-redbeat": "in_celery:redbeat",
    "rq": "in_rq:engine",
    "rq-cron": "in_rq:cron",
    "rq-scheduler": "in_rq:scheduler",
    "dramatiq": "in_dramatiq:engine",
    "periodiq": "in_dramatiq:periodiq",
    "apscheduler": "in_apscheduler:scheduler",
    "huey-periodic": "in_huey:periodic",
    "taskiq-scheduler": "in_taskiq:scheduler",
}
_TARGETS = [target.value for target in Target]
_TYPES = {
    "integer": "integer", "number": "number", "string": "text", "boolean": "yes or no",
    "array": "list", "object": "object",
}  # fmt: skip


def of_plugin(name: str) -> str:
    """Return the tables of one plugin. Raise `ValueError` for an action that it never offers."""
    module, _, function = _PLUGINS[name].partition(":")
    ask: Callable[[], Asked] = getattr(importlib.import_module(module), function)
    told: list[tuple[str, list[ActionInfo]]] = []
    actions: dict[str, ActionInfo] = {}
    for process, plugin in ask():
        told.append((process, plugin.announced()))
        actions = {one: action.info() for one, action in plugin.actions().items()}
    offered = {one.name for _, infos in told for one in infos if one.absent is None}
    if never := [one for one in actions if one not in offered]:
        raise ValueError(f"{name} implements {never}, and offers it in none of these processes")
    shown = [one for one in actions.values() if not one.internal]
    rows = [_row(one) for one in sorted(shown, key=lambda one: _TARGETS.index(one.target))]
    made = table(("action", "acts on", "what it does", "asks for"), rows)
    absences = _absences(told)
    if absences:
        heads = ("where", "not offered", "the reason, as the dashboard gives it")
        made += "\n" + table(heads, absences)
    return made


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; its cells must be Markdown of one line."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def _row(one: ActionInfo) -> tuple[str, ...]:
    states = "" if one.states is None else f" ({', '.join(one.states)})"
    schema = msgspec.json.decode(one.params_schema)
    if "$ref" in schema:
        schema = schema["$defs"][schema["$ref"].rpartition("/")[2]]
    needed = schema.get("required", ())
    fields = [_field(name, of, name in needed) for name, of in schema["properties"].items()]
    title = f"{one.title} (`{one.name}`)"
    return title, f"{one.target}{states}", _plain(one.description), "<br>".join(fields)


def _field(name: str, schema: dict[str, Any], is_needed: bool) -> str:
    described = schema.get("description", "")
    for kind in schema.get("anyOf", [schema]):
        if kind.get("type") != "null":
            schema = {**schema, **kind}
    described = schema.get("description", described)
    choice = " or ".join(map(str, schema.get("enum", ())))
    words = [choice or _TYPES.get(schema.get("type", ""), "any")]
    least = schema.get("minimum", schema.get("exclusiveMinimum"))
    if least is not None:
        most = schema.get("maximum")
        words.append(f"from {least:,.12g}" if most is None else f"{least:,.12g} to {most:,.12g}")
    if not is_needed:
        default = schema.get("default")
        told = {True: "yes", False: "no"}[default] if isinstance(default, bool) else default
        words.append("optional" if default in (None, [], {}) else f"else {told}")
    return f"`{name}` ({', '.join(words)})" + f": {_plain(described)}" * bool(described)


def _absences(told: list[tuple[str, list[ActionInfo]]]) -> list[tuple[str, str, str]]:
    """Return where, what and why; what is the same in several kinds of processes stands once."""
    where: dict[tuple[tuple[str, ...], str], list[str]] = {}
    for process, infos in told:
        names: dict[str, list[str]] = {}
        for one in infos:
            if one.absent is not None:
                names.setdefault(one.absent, []).append(one.name)
        for reason, missing in names.items():
            where.setdefault((tuple(missing), reason), []).append(process)
    return [
        ("; ".join(processes), ", ".join(f"`{name}`" for name in missing), _plain(reason))
        for (missing, reason), processes in where.items()
    ]


def _plain(text: str) -> str:
    """Return text of code as one cell: no character of it is Markdown's."""
    return " ".join(text.replace("|", "\\|").replace("*", "\\*").split())
