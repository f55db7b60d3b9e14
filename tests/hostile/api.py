"""Generated requests to every operation of the OpenAPI document, as everybody."""

from __future__ import annotations

import functools
import itertools
import logging
from collections.abc import Callable, Mapping
from typing import Any

import hypothesis
import msgspec
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.core.failures import FailureGroup

from hostile.house import PASSWORD, Caller, House
from z4j_brain.api.openapi import describe
from z4j_brain.api.table import all_routes

MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
)
NOT_DONE: dict[str, str] = {
    "complete_setup": "works once, and somebody has an account here; api_shell/test_setup.py",
    "sign_in_by_code": "needs an enrolled app's code; api_shell/test_second_factor.py",
    "confirm_second_factor": "needs an app's code; api_shell/test_second_factor.py",
    "replace_recovery_codes": "needs an enrolled app; api_shell/test_second_factor.py",
    "turn_second_factor_off": "needs an enrolled app; api_shell/test_second_factor.py",
    "begin_oidc_sign_in": "needs a provider; api_shell/test_oidc_accounts.py",
    "begin_oidc_link": "needs a provider; api_shell/test_oidc_accounts.py",
    "unlink_oidc": "needs a linked account; api_shell/test_audit.py",
    "begin_passkey": "needs a host name; api_shell/test_passkeys.py",
    "add_passkey": "needs an authenticator; api_shell/test_passkeys.py",
    "remove_passkey": "needs a passkey; api_shell/test_passkeys.py",
    "begin_passkey_sign_in": "needs a host name; api_shell/test_passkeys.py",
    "sign_in_by_passkey": "needs an authenticator; api_shell/test_passkeys.py",
}
"""Operations that no call here can succeed with: everything but their success is tried."""


class Report(msgspec.Struct):
    """What came of the calls; `faults` name operation, caller and what was wrong."""

    calls: int = 0
    statuses: dict[int, int] = {}
    done: set[str] = set()
    called: set[str] = set()
    faults: list[str] = []


class Errors(logging.Handler):
    """Collects what the server logs as an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        self.messages.append(self.format(record))


@functools.cache
def operations() -> dict[str, Any]:
    """Return every operation of the document by its id."""
    schema = schemathesis.openapi.from_dict(msgspec.to_builtins(describe(all_routes())))
    found = [result.ok() for result in schema.get_all_operations()]
    return {operation.definition.raw["operationId"]: operation for operation in found}


def cases(operation: Any, mode: GenerationMode, count: int, seed: int | None) -> list[Any]:
    """Return generated cases; always the same ones without a seed. None if there are none."""
    found: list[Any] = []

    @settings(
        max_examples=count,
        derandomize=seed is None,
        database=None,
        phases=[Phase.generate],
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode))
    def collect(case: Any) -> None:
        found.append(case)

    if seed is not None:
        collect = hypothesis.seed(seed)(collect)
    try:
        collect()
    except hypothesis.errors.Unsatisfiable:
        return []  # nothing about this operation can be wrong
    return found[:count]


def run(
    house: House, *, count: int, seed: int | None = None, until: Callable[[], bool] = lambda: False
) -> Report:
    """Call every operation with `count` cases of each kind, as everybody, until told to end."""
    report, errors = Report(), Errors()
    logging.getLogger("z4j").addHandler(errors)
    try:
        for name, operation in operations().items():
            house.tidy()
            _try_operation(house, name, operation, report, count, seed)
            if errors.messages:
                report.faults += [f"{name}: logged {text}" for text in errors.messages]
                errors.messages.clear()
            if until():
                break
    finally:
        logging.getLogger("z4j").removeHandler(errors)
    return report


def _try_operation(
    house: House, name: str, operation: Any, report: Report, count: int, seed: int | None
) -> None:
    for mode in MODES:
        for number, case in enumerate(cases(operation, mode, count, seed)):
            is_meant = number == 0 and mode is GenerationMode.POSITIVE
            for caller in _callers(house, everybody=is_meant):
                if number % 3 != 2:
                    _aim(house, name, case, is_known=number % 3 == 0)
                if is_meant:
                    _mean_it(house, name, case, caller)
                _call(house, name, case, caller, report)


def _callers(house: House, *, everybody: bool) -> list[Caller]:
    """Everybody for the case that is meant to succeed, for the others some."""
    some = ("nobody", "viewer", "instance admin", "key project.manage")
    return [house.callers[name] for name in (house.callers if everybody else some)]


def _call(house: House, name: str, case: Any, caller: Caller, report: Report) -> None:
    report.calls += 1
    report.called.add(name)
    answer = case.call(
        base_url=f"{house.url}/api/v1",
        session=house.http,
        headers=caller.headers,
        cookies=caller.cookies,
        timeout=60,
    )
    house.http.cookies.clear()
    status = answer.status_code
    report.statuses[status] = report.statuses.get(status, 0) + 1
    if status < 400:
        report.done.add(name)
    try:
        case.validate_response(answer, checks=_checks())
    except FailureGroup as failures:
        told = "; ".join(f"{one.title}: {one.message}" for one in failures.exceptions)
        report.faults.append(f"{name} as {caller.name}: {status} {told} for {case!r}")
    except AssertionError as failure:
        report.faults.append(f"{name} as {caller.name}: {status} {failure} for {case!r}")
    if case.path.startswith(("/account", "/sign", "/invitations")):
        caller.renew()


@functools.cache
def _checks() -> list[Any]:
    from schemathesis.checks import CHECKS as known
    from schemathesis.checks import load_all_checks

    load_all_checks()
    return [known.get_one(name) for name in CHECKS]


def _aim(house: House, name: str, case: Any, *, is_known: bool) -> None:
    """Let a case reach something: the project, and when `is_known` things that are there."""
    parts = dict(case.path_parameters or {})
    if "project" in parts:
        parts["project"] = "shop"
    if is_known:
        parts |= _known(house, name, parts)
    case.path_parameters = parts


_made = itertools.count()


def _known(house: House, name: str, parts: Mapping[str, Any]) -> dict[str, str]:
    """Make or find what the parts of a path name."""
    shop, found = "/projects/shop", {}
    if "agent_id" in parts:
        form = {"name": f"agent {next(_made)}"}
        agent = house.call("admin", "POST", f"{shop}/agents", form)["agent"]
        found = {"agent_id": agent["id"], "token_id": agent["tokens"][0]["id"]}
    elif "user_id" in parts:
        found = {"user_id": str(house.person(f"somebody {next(_made)}", "viewer").id)}
    elif "key_id" in parts:
        who = "admin"
        form = {"name": "k", "scopes": ["task.read"], "project": "shop"}
        found = {"key_id": house.call(who, "POST", "/keys", form)["id"]}
    elif "invitation_id" in parts:
        form = {"email": f"guest{next(_made)}@example.org", "role": "viewer"}
        made = house.call("admin", "POST", f"{shop}/invitations", form)
        found = {"invitation_id": made["id"]}
    elif "session_id" in parts:
        [*_, last] = house.call("admin", "GET", "/account/sessions")["items"]
        found = {"session_id": last["id"]}
    elif "engine" in parts:
        found = {"engine": "lamp", "task_id": "t5", "queue": "email"}
    elif "id" in parts:
        found = {"id": _one_of(house, name)}
    return {part: value for part, value in found.items() if part in parts}


def _one_of(house: House, name: str) -> str:
    if "bulk" in name:
        path = "/projects/shop/bulk-runs"
        runs = [one for one in house.call("admin", "GET", path)["items"] if not one["ended_at"]]
        return str((runs or [house.call("admin", "POST", path, _bulk())])[0]["id"])
    kind = next(word for word in ("worker", "issue", "command", "schedule") if word in name)
    every = "?state=all" if kind == "issue" else ""
    items = house.call("admin", "GET", f"/projects/shop/{kind}s{every}")["items"]
    if not items:
        assert kind == "command"
        items = [house.call("admin", "POST", "/projects/shop/commands", _retry())]
    return str(items[0]["id"])


def _retry() -> dict[str, Any]:
    return {"engine": "lamp", "action": "retry", "target": {"task_id": "t5"}, "params": {}}


def _bulk() -> dict[str, Any]:
    return {"engine": "lamp", "action": "retry", "rate": 0.1}


def _mean_it(house: House, name: str, case: Any, caller: Caller) -> None:
    """Send a body that can succeed, where hardly any generated one could."""
    email = caller.user.email if caller.user else "viewer@example.org"
    bodies: dict[str, Callable[[], Any]] = {
        "create_agent": lambda: {"name": f"agent {next(_made)}"},
        "create_command": _retry,
        "estimate_bulk_run": _bulk,
        "create_bulk_run": _bulk,
        "take_bulk_step": lambda: {"step": "abort"},
        "create_key": lambda: {"name": "k", "scopes": ["task.read"], "project": "shop"},
        "sign_in_by_password": lambda: {"email": email, "password": PASSWORD},
        "change_own_password": lambda: {
            "current_password": PASSWORD,
            "new_password": PASSWORD,
        },
        "begin_second_factor": lambda: {"password": PASSWORD},
        "check_invitation": lambda: {"token": _invitation(house, f"g{next(_made)}@example.org")},
        "accept_invitation": lambda: {"token": _invitation(house, _invited(caller))},
        "sign_up": lambda: {
            "token": _invitation(house, f"new{next(_made)}@example.org"),
            "name": "Ida",
            "password": PASSWORD,
        },
        "verify_audit": dict,
        "verify_instance_audit": dict,
        "replace_redaction": lambda: {"keys": ["number plate"], "patterns": [], "emails": False},
        "preview_redaction": lambda: {"text": "token=abc"},
        "decide_issue": lambda: {"decision": "resolved"},
        "change_user": lambda: {"disabled": True},
    }
    if name in bodies:
        case.body = bodies[name]()
        case.media_type = "application/json"
    if name in ("read_points", "read_totals", "read_audit", "read_queue") or case.method == "GET":
        case.query = {}


def _invited(caller: Caller) -> str:
    return "anybody@example.org" if caller.name == "anybody" else f"g{next(_made)}@example.org"


def _invitation(house: House, email: str) -> str:
    form = {"email": email, "role": "viewer"}
    url = house.call("admin", "POST", "/projects/shop/invitations", form)["url"]
    return str(url.partition("#")[2])
