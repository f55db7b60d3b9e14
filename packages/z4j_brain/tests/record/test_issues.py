"""Issues in the record: counted once and in any order, decided by people, bounded."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update

from z4j_brain.filters import parse_filter
from z4j_brain.ingest.preparing import prepare
from z4j_brain.ingest.transaction import Transactions
from z4j_brain.issues.reading import list_issues, read_issue, urgent_issues
from z4j_brain.store import issue_decisions, issues, issues_write, task_filter, tasks
from z4j_brain.store.commands import finish
from z4j_brain.store.issue_rows import HOUR_US, OVERFLOW
from z4j_brain.store.issues import Choice
from z4j_brain.store.schema import issue_counts, users
from z4j_brain.store.schema import issues as table
from z4j_brain.store.schema import tasks as tasks_table

TRACEBACK = 'Traceback (most recent call last):\n  File "/srv/{}.py", line {}, in run\nE: {}\n'
NOBODY = uuid.UUID(int=7)


def told(place: str = "a/b", kind: str = "ValueError", line: int = 1) -> dict[str, Any]:
    text = TRACEBACK.format(place, line, line)
    return {"exception": {"type": kind, "message": f"m{line}"}, "traceback": text}


@pytest.fixture
def decide(record: Any) -> Any:
    """Decide at a time after noon as Ada."""
    with record.database.write() as connection:
        values = {"id": NOBODY, "email": "ada@example.org", "name": "Ada", "password_hash": "-"}
        connection.execute(insert(users).values(**values, created_at=1))

    def run(issue: str, decision: str, at: int, **more: Any) -> bool:
        with record.database.write() as connection:
            return issue_decisions.decide(
                connection,
                record.project_id,
                issue,
                user_id=NOBODY,
                decision=decision,  # type: ignore[arg-type]
                now=at,
                **more,
            )

    return run


def only(record: Any, now: int) -> Any:
    [one] = record.read(issues.page, Choice(), now=now, limit=9)
    return one


def test_failures_are_grouped_and_counted(record: Any, event: Any, noon: int) -> None:
    record.tell(
        event("t1", "failed", -2 * HOUR_US, data=told(line=1)),
        event("t2", "failed", -HOUR_US, data=told(line=2), name="app.other", queue="slow"),
        event("t3", "failed", -HOUR_US, data=told("a/c")),
    )
    record.tell(event("t4", "failed", -5, data=told(line=3)), event("t5", "succeeded"))
    page = record.read(list_issues, Choice(), now=noon)
    first, second = [listed.issue for listed in page.items]
    assert (first.exception_type, first.title) == ("ValueError", "a.b in run")
    assert first.stack == "ValueError\na.b in run"
    assert (first.count, first.retried, first.state, first.regressed) == (3, 0, "open", False)
    assert (first.first_seen, first.last_seen) == (noon - 2 * HOUR_US, noon - 5)
    assert (first.last_task_id, first.last_message, first.last_name) == ("t4", "m3", "app.send")
    assert second.count == 1
    assert page.counts == {"open": 2}
    hour = noon % HOUR_US
    expected = [0] * 21 + [1, 1, 0] if hour < 5 else [0] * 21 + [1, 1, 1]
    assert page.items[0].spark == expected
    detail = record.read(read_issue, first.id, noon)
    assert detail.places == [("celery", "app.other", "slow"), ("celery", "app.send", "email")]
    assert [hour.failed for hour in detail.series][-24:] == expected
    assert len(detail.series) == 168
    assert record.read(read_issue, "nothing", noon) is None


def test_a_task_names_its_issue_while_its_newest_attempt_failed(record: Any, event: Any) -> None:
    record.tell(event("t1", "retried", 1, data=told()), event("t2", "failed", 1, data=told()))
    [issue] = {row["issue"] for row in rows(record, tasks_table)}
    where = task_filter.where
    with record.database.read() as connection:
        condition = where(connection, record.project_id, parse_filter(f"issue:{issue}"), 0)
        found = tasks.page(connection, condition, after=None, is_ascending=False, limit=9)
    assert {task.task_id for task in found} == {"t1", "t2"}
    assert {task.issue for task in found} == {issue}
    record.tell(event("t1", "succeeded", 2, attempt=1))
    assert {row["task_id"]: row["issue"] for row in rows(record, tasks_table)} == {
        "t1": None,
        "t2": issue,
    }


def test_retried_attempts_are_counted_apart(record: Any, event: Any, noon: int) -> None:
    record.tell(
        event("t1", "retried", -9, data=told()),
        event("t2", "retried", -8, data={"reason": "The worker gave it back."}),
    )
    [row] = rows(record, table)
    assert (row["count"], row["retried"], row["last_failed_at"]) == (0, 1, None)
    page = record.read(list_issues, Choice(), now=noon)
    assert (page.items, page.counts) == ([], {})
    assert record.read(read_issue, row["id"], noon).listed.issue.retried == 1
    record.tell(event("t1", "failed", -7, data=told(), attempt=1))
    one = only(record, noon)
    assert (one.count, one.retried, one.first_seen, one.last_failed_at) == (
        1,
        1,
        noon - 9,
        noon - 7,
    )


KINDS = st.sampled_from(["failed", "retried"])
FAILURES = st.lists(
    st.tuples(KINDS, st.sampled_from(["a/b", "a/c"]), st.integers(-9, 3), st.integers(1, 3)),
    min_size=1,
    max_size=7,
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(failures=FAILURES, data=st.data())
def test_any_order_and_split_make_the_same_rows(
    record: Any, event: Any, decide: Any, noon: int, failures: Any, data: Any
) -> None:
    events = [
        event(f"t{number % 3}", kind, at, data=told(place, line=line), attempt=number)
        for number, (kind, place, at, line) in enumerate(failures)
    ]

    def stored(batches: list[list[Any]]) -> Any:
        with record.database.write() as connection:
            connection.execute(delete(table))
            connection.execute(delete(issue_counts))
        for batch in batches:
            record.tell(*batch)
            with record.database.write() as connection:
                # Decided before anything that is told, and again: it must not matter when.
                connection.execute(update(table).values(decision="resolved", decided_at=noon - 5))
        found = record.read(issues.page, Choice(), now=noon, limit=99)
        return (
            sorted(
                tuple(
                    getattr(one, name) for name in one.__struct_fields__ if name != "regressed_at"
                )
                for one in found
            ),
            sorted(tuple(row.values()) for row in rows(record, issue_counts)),
        )

    order = data.draw(st.permutations(events))
    batches = []
    while order:
        size = data.draw(st.integers(1, len(order)))
        batches.append(order[:size])
        order = order[size:]
    assert stored(batches) == stored([events])


def test_a_failure_after_its_resolution_reopens_it(
    record: Any, event: Any, decide: Any, noon: int
) -> None:
    record.tell(event("t1", "failed", -100, data=told()))
    issue = only(record, noon).id
    assert decide(issue, "resolved", noon - 50)
    assert not decide("nothing", "resolved", noon - 50)
    one = only(record, noon)
    assert (one.state, one.regressed, one.decider) == ("resolved", False, "ada@example.org")
    # It happened before, though it arrives later.
    record.tell(event("t2", "failed", -60, data=told()), event("t3", "retried", -1, data=told()))
    one = only(record, noon)
    assert (one.state, one.regressed, one.count, one.regressed_at) == ("resolved", False, 2, None)
    record.tell(event("t4", "failed", -40, data=told()))
    one = only(record, noon)
    assert (one.state, one.regressed, one.regressed_at) == ("open", True, noon - 40)
    record.tell(event("t5", "failed", -30, data=told()))
    assert only(record, noon).regressed_at == noon - 40
    assert decide(issue, "resolved", noon - 20)
    one = only(record, noon)
    assert (one.state, one.regressed, one.regressed_at) == ("resolved", False, None)
    assert decide(issue, "open", noon - 10)
    assert only(record, noon).state == "open"
    found = record.read(issue_decisions.decisions, issue)
    assert [(one.decision, one.at - noon, one.email) for one in found] == [
        ("open", -10, "ada@example.org"),
        ("resolved", -20, "ada@example.org"),
        ("resolved", -50, "ada@example.org"),
    ]


def test_a_clock_that_runs_ahead_reopens_nothing(
    record: Any, event: Any, decide: Any, noon: int
) -> None:
    """The test's server receives everything at noon."""
    record.tell(event("t1", "failed", 3_000 * HOUR_US, data=told()))
    one = only(record, noon)
    assert one.last_seen == noon
    decide(one.id, "resolved", noon)
    record.tell(event("t2", "failed", 9 * HOUR_US, data=told()))
    assert only(record, noon + 1).state == "resolved"


def test_mutes_end(record: Any, event: Any, decide: Any, noon: int) -> None:
    record.tell(event("t1", "failed", -9, data=told()))
    issue = only(record, noon).id
    decide(issue, "muted", noon, muted_until=noon + 100)
    assert only(record, noon + 99).state == "muted"
    assert only(record, noon + 100).state == "open"
    assert record.read(issues.counts, Choice(), noon + 99) == {"muted": 1}
    assert record.read(issues.counts, Choice(), noon + 100) == {"open": 1}
    decide(issue, "muted", noon, more=2)
    record.tell(event("t2", "failed", -8, data=told()), event("t3", "retried", data=told()))
    one = only(record, noon)
    assert (one.state, one.count, one.muted_count) == ("muted", 2, 3)
    record.tell(event("t4", "failed", -7, data=told()))
    assert (only(record, noon).state, only(record, noon).regressed) == ("open", False)
    decide(issue, "muted", noon)
    record.tell(event("t5", "failed", 7, data=told()))
    assert only(record, noon + 400 * 24 * HOUR_US).state == "muted"


def test_lists_are_filtered_and_paged(record: Any, event: Any, decide: Any, noon: int) -> None:
    for number in range(7):
        names = {"name": "app.one" if number % 2 else "app.two", "queue": f"q{number % 3}"}
        for again in range(number % 3 + 1):
            data = told(f"p/m{number}", kind=f"Error{number}")
            record.tell(event(f"t{number}{again}", "failed", -number, data=data, **names))
    everything = record.read(issues.page, Choice(), now=noon, limit=99)
    decide(everything[0].id, "muted", noon)
    for sort in ("last_seen", "first_seen", "count"):
        seen: list[str] = []
        after = None
        while True:
            page = record.read(list_issues, Choice(), now=noon, sort=sort, after=after, limit=2)
            seen += [listed.issue.id for listed in page.items]
            after = page.next
            if after is None:
                break
        assert sorted(seen) == sorted(one.id for one in everything)
    chosen = {
        Choice(text="ERROR3"): 1,
        Choice(text="p.m"): 7,
        Choice(text="100%"): 0,
        Choice(text="m1"): 7,
        Choice(name="app.one"): 3,
        Choice(queue="q0"): 3,
        Choice(state="muted"): 1,
        Choice(state="open", queue="q0"): 2,
        Choice(seen_since=noon - 2): 3,
    }
    for choice, number in chosen.items():
        assert len(record.read(issues.page, choice, now=noon, limit=99)) == number, choice
    urgent = record.read(urgent_issues, now=noon, since=noon - 4, limit=9)
    assert [listed.issue.exception_type for listed in urgent] == [
        "Error2",
        "Error1",
        "Error4",
        "Error3",
    ]


def test_too_many_different_failures(
    record: Any, event: Any, noon: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issues_write, "MAX_NEW_AN_HOUR", 30)
    record.tell(event("t", "failed", data=told("known/place")))
    number = 2_000
    for start in range(0, number, 500):
        record.tell(
            *(
                event(f"t{n}", "failed", -n, data=told(f"p/m{n}", kind=f"Error{n}"))
                for n in range(start, start + 500)
            ),
            event(f"known{start}", "failed", data=told("known/place")),
        )
    page = record.read(issues.page, Choice(), now=noon, limit=99, sort="count")
    assert [one.count for one in page] == [number - 29, 5, *[1] * 29]
    overflow = page[0]
    assert (overflow.id, overflow.title) == (OVERFLOW, "Too many different failures")
    assert overflow.last_task_id == "t29"
    assert sum(row["failed"] for row in rows(record, issue_counts)) == number + 5
    assert sum(row["issue"] == OVERFLOW for row in rows(record, tasks_table)) == number - 29
    assert {row["issue"] for row in rows(record, tasks_table)} == {one.id for one in page}


def test_a_project_has_only_so_many_issues(
    record: Any, event: Any, noon: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issues_write, "MAX_ISSUES", 3)
    other = record.add_project("mail")
    row = record.add_worker("w9", project_id=other)
    for number in range(6):
        record.tell(event(f"t{number}", "failed", data=told(kind=f"Error{number}")))
    record.tell(event("t", "failed", data=told()), worker=row, project_id=other)
    # The overflow's own row counts, too.
    assert sum(one["project_id"] == record.project_id for one in rows(record, table)) == 4
    assert [one["count"] for one in rows(record, table) if one["id"] == OVERFLOW] == [3]
    assert sum(one["project_id"] == other for one in rows(record, table)) == 1


HOSTILE = [
    {"exception": {"type": "E\0" * 200, "message": "\u202e\0" * 300}, "traceback": "\0" * 5_000},
    {"exception": {"type": "", "message": ""}},
    {"exception": "none"},
    {"traceback": 7, "exception": {"type": 7}},
    {"traceback": TRACEBACK.format("\u202eevil\0", 1, "\ud800".encode(errors="replace"))},
    {"exception": {"type": "E", "message": "x" * 60_000}},
    {"exception": {"type": "E"}, "traceback": "A" * 64_000, "issue": "forged"},
    {},
]


def test_hostile_failures_are_stored(record: Any, event: Any, noon: int) -> None:
    record.tell(
        *(event(f"t{n}", "failed", -n, data=data) for n, data in enumerate(HOSTILE)),
        event("old", "failed", -noon, data=told()),
        event("raw", "failed", payload=b'{"traceback":"\\u0000","exception":null}'),
    )
    found = record.read(issues.page, Choice(), now=noon, limit=99)
    assert sum(one.count for one in found) == len(HOSTILE) + 2
    named = {row["issue"] for row in rows(record, tasks_table)}
    assert named == {one.id for one in found}
    assert not any("\0" in one.stack + one.last_message + one.title for one in found)
    assert all(len(one.last_message) <= 500 and len(one.title) <= 500 for one in found)
    # What happened too long ago is in no hour.
    assert min(row["hour"] for row in rows(record, issue_counts)) > noon - 2 * HOUR_US


@pytest.mark.parametrize("record_url", ["postgresql"], indirect=True)
def test_two_writers_do_not_wait_for_each_other_in_a_circle(
    record: Any, event: Any, noon: int
) -> None:
    """Both write the same issues, met in opposite orders."""
    places, rounds = 40, 12
    rows_of = [record.w1, record.add_worker("w2")]
    failed: list[BaseException] = []
    begin = threading.Barrier(2)

    def write(which: int) -> None:
        writer = Transactions(record.database, f"writer{which}", finish)
        try:
            begin.wait(60)
            for number in range(rounds):
                order = range(places) if which else range(places - 1, -1, -1)
                events = [
                    event(f"{which}-{number}-{n}", "failed", data=told(f"p/m{n}")) for n in order
                ]
                arrival = record.arrival(rows_of[which], events)
                writer.commit(prepare([arrival]))
        except BaseException as error:  # the thread's end must be told
            failed.append(error)
        finally:
            writer.close()

    threads = [threading.Thread(target=write, args=(which,)) for which in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    found = record.read(issues.page, Choice(), now=noon, limit=99)
    assert [one.count for one in found] == [2 * rounds] * places
    assert sum(row["failed"] for row in rows(record, issue_counts)) == 2 * rounds * places


def rows(record: Any, wanted: Any) -> list[dict[str, Any]]:
    with record.database.read() as connection:
        return [dict(row) for row in connection.execute(select(wanted)).mappings()]
