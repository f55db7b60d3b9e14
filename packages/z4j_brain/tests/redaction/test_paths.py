"""The ways into the record and the log that do not begin with an event."""

from __future__ import annotations

import logging
import sys
import uuid

import msgspec
import pytest

from z4j_brain.commands.request import shown_params
from z4j_brain.link.admission import Admitted
from z4j_brain.link.greeting import worker_link
from z4j_brain.logging import JsonFormatter, TextFormatter
from z4j_brain.redaction.rules import PatternRule, ProjectRules, build
from z4j_core.frames import ActionInfo, EngineInfo, Hello

SECRET, STAFF = "x7x7x7x7", "ST-1234"
DSN = f"amqp://shop:{SECRET}@mq//"
CLEANER = build(ProjectRules(patterns=[PatternRule("staff", r"\bST-[0-9]{4}\b")]))


def test_parameters_of_commands_are_shown_by_the_projects_rules() -> None:
    shown = shown_params(b'{"note":"for ST-1234","n":1}', CLEANER)
    assert shown.text == '{"note":"for [redacted]","n":1}'
    assert not shown.is_exact
    assert shown_params(b'{"note":"for ST-12"}', CLEANER).is_exact
    large = b'{"note":"' + b"x" * 70_000 + b'","who":"ST-1234"}'
    assert STAFF not in shown_params(large, CLEANER).text


def test_what_a_worker_says_of_itself_is_redacted_and_its_schemas_are_not() -> None:
    schema = '{"properties":{"password":{"default":"none"}}}'
    engine = EngineInfo("celery", actions=[ActionInfo("reset", params_schema=schema)])
    hello = Hello(
        versions=[1],
        nonce=b"n" * 16,
        worker_id="w1",
        epoch="e1",
        host=f"host of {STAFF}",
        framework=f"django {DSN}",
        engines=[engine],
        plugin_errors=[f"celery: cannot reach {DSN}"],
    )
    one = uuid.UUID(int=1)
    admitted = Admitted(one, one, one, "shop", b"k" * 32)
    row = worker_link(hello, admitted, "r", None, CLEANER)
    assert row.host == "host of [redacted]"
    assert row.framework == "django amqp://[redacted]@mq//"
    assert row.plugin_errors == ["celery: cannot reach amqp://[redacted]@mq//"]
    assert row.engines[0]["actions"][0]["params_schema"] == schema


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"ST-[0-9]{4}", "ST-1234"),
        (r"^ST-[0-9]{4}$", "ST-1234"),
        (r"\AST-[0-9]{4}", "ST-1234 x"),
        (r"\bST-[0-9]{4}\b", "ä ST-1234"),
        (r"ST-[0-9]{4}\n", "ST-1234\n"),
        (r'"ST-[0-9]{4}', '"ST-1234'),
        (r"ST\\-[0-9]{4}", "ST\\-1234"),
        (r"[^a]ST-[0-9]{4}", "bST-1234"),
        (r"jane@[a-z.]{1,20}", "jane@example"),
    ],
)
def test_the_first_look_at_a_payload_lets_no_match_slip(pattern: str, text: str) -> None:
    cleaner = build(ProjectRules(patterns=[PatternRule("staff", pattern)]), emails=True)
    for payload in ({"a": [1, text]}, {"a": {"b": text, "c": "é"}}, {text: 1}):
        cleaned = msgspec.json.decode(cleaner.payload(msgspec.json.encode(payload)))
        assert cleaned == cleaner.events.value(payload) != payload
    assert cleaner.payload(b'{"a":"ST-"}') == b'{"a":"ST-"}'


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
def test_the_log_of_the_server_holds_no_secret(formatter: logging.Formatter) -> None:
    try:
        raise ConnectionError(f"cannot connect to {DSN}")
    except ConnectionError:
        record = logging.LogRecord(
            "z4j", logging.ERROR, "", 1, "no broker at %s", (DSN,), sys.exc_info()
        )
    written = formatter.format(record)
    assert SECRET not in written
    assert written.count("amqp://[redacted]@mq//") == 2
    assert "Traceback" in written
