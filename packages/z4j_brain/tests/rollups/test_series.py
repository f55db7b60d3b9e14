"""What a series answers: zero-filled, grouped, bounded, and refused in words."""

from __future__ import annotations

from typing import Any

import pytest

from z4j_brain.series.window import MAX_POINTS, SeriesRefused
from z4j_brain.store import rollup_horizons, series_rows
from z4j_brain.store.queue_flow import flow

S = 1_000_000
MINUTE, HOUR, DAY = 60 * S, 3_600 * S, 86_400 * S


def test_where_nothing_happened_is_zero(house: Any) -> None:
    house.tell(*house.life("t", house.now - 30 * MINUTE, S, 2 * S))
    house.round()
    found = house.series(house.now - HOUR + 1, house.now, resolution="minute")
    [group] = found.groups
    assert (found.window.since, found.window.until) == (house.now - HOUR, house.now)
    assert [point.at - found.window.since for point in group.points] == [
        MINUTE * index for index in range(60)
    ]
    ends = [point for point in group.points if point.figures.succeeded]
    assert [point.at for point in ends] == [house.now - 30 * MINUTE]
    assert [point.figures.run is None for point in group.points].count(True) == 59
    assert group.ended == group.total.succeeded == 1


def test_an_empty_project_answers_zeros(house: Any) -> None:
    [group] = house.series(house.now - HOUR, house.now).groups
    assert (len(group.points), group.ended, group.total.wait) == (60, 0, None)
    assert house.series(house.now - HOUR, house.now, group_by="name").groups == []


def test_minutes_count_before_the_leader_has_looked(house: Any) -> None:
    house.tell(*house.life("t", house.now - MINUTE, 0, S))
    found = house.series(house.now - HOUR, house.now)
    [group] = found.groups
    assert (group.total.succeeded, group.total.run) == (1, None)
    assert [point.at for point in group.points if point.is_partial] == [
        house.now - 2 * MINUTE,
        house.now - MINUTE,
    ]
    house.round()
    [group] = house.series(house.now - HOUR, house.now).groups
    assert not any(point.is_partial for point in group.points)


@pytest.mark.parametrize(
    ("span", "resolution"),
    [(HOUR, "minute"), (6 * HOUR, "minute"), (24 * HOUR, "hour"), (15 * DAY, "hour"),
     (30 * DAY, "day"), (2 * 365 * DAY, "day")],
)  # fmt: skip
def test_auto_takes_what_suits_the_span(house: Any, span: int, resolution: str) -> None:
    assert house.series(house.now - span, house.now).window.resolution == resolution


def test_auto_takes_what_is_kept_and_a_choice_that_is_gone_is_refused(house: Any) -> None:
    with house.database.write() as connection:
        rollup_horizons.advance(connection, house.project_id, "minute", house.now - 2 * HOUR)
        rollup_horizons.advance(connection, house.project_id, "hour", house.now - 12 * HOUR)
    since = house.now - 3 * HOUR
    assert house.series(house.now - HOUR, house.now).window.resolution == "minute"
    assert house.series(since, house.now).window.resolution == "hour"
    assert house.series(house.now - DAY, house.now).window.resolution == "day"
    with pytest.raises(SeriesRefused, match=r"kept since .* Ask by the hour") as refused:
        house.series(since, house.now, resolution="minute")
    assert refused.value.parameter == "resolution"
    with pytest.raises(SeriesRefused, match="Ask by the day"):
        house.series(house.now - DAY, house.now, resolution="hour")


@pytest.mark.parametrize("resolution", ["minute", "hour", "day"])
def test_the_number_of_points_is_bounded(house: Any, resolution: str) -> None:
    width = {"minute": MINUTE, "hour": HOUR, "day": DAY}[resolution]
    until = house.now // width * width
    most = house.series(until - MAX_POINTS * width, until, resolution=resolution)
    assert len(most.groups[0].points) == MAX_POINTS
    with pytest.raises(SeriesRefused, match="1,001 buckets"):
        house.series(until - MAX_POINTS * width - 1, until, resolution=resolution)


@pytest.mark.parametrize(("since", "until"), [(5, 5), (9, 3), (-1, 5)])
def test_impossible_spans_are_refused(house: Any, since: int, until: int) -> None:
    with pytest.raises(SeriesRefused, match="beginning"):
        house.series(since, until)


def test_groups_the_largest_first_and_all_others_together(house: Any) -> None:
    at = house.now - 5 * MINUTE
    for number, name in enumerate("abcd"):
        for index in range(number + 1):
            queue = "even" if number % 2 else "odd"
            house.tell(*house.life(f"{name}{index}", at, 0, S, name=name, queue=queue))
    house.tell(*house.life("x", at, 0, S, name="d", queue="third"))
    house.round()
    found = house.series(at, at + 1, group_by="name", top=2)
    assert [(one.name, one.queue, one.ended) for one in found.groups] == [
        ("d", None, 5), ("c", None, 3), (None, None, 3),
    ]  # fmt: skip
    assert [one.is_other for one in found.groups] == [False, False, True]
    assert found.others == 2
    queues = house.series(at, at + 1, group_by="queue", resolution="hour").groups
    assert [(one.queue, one.name, one.ended) for one in queues] == [
        ("even", None, 6), ("odd", None, 4), ("third", None, 1),
    ]  # fmt: skip
    assert house.series(at, at + 1, group_by="queue").others == 0


@pytest.mark.parametrize("resolution", ["minute", "hour"])
def test_a_selection(house: Any, resolution: str) -> None:
    at = house.now - 5 * MINUTE
    house.tell(
        *house.life("1", at, 0, S, name="a", queue="q"),
        *house.life("2", at, 0, S, name="a", queue="r"),
        *house.life("3", at, 0, S, name="b", queue="q", engine="rq"),
        *house.life("4", at, 0, S, name=None, queue=None),
    )
    house.round()

    def ended(**selection: Any) -> int:
        return sum(
            one.ended for one in house.series(at, at + 1, resolution=resolution, **selection).groups
        )

    assert ended() == 4
    assert (ended(name="a"), ended(queue="q"), ended(engine="rq")) == (2, 2, 1)
    assert (ended(name="a", queue="q"), ended(name="b", engine="celery")) == (1, 0)
    assert (ended(name=""), ended(queue=""), ended(queue="' OR 1=1 --")) == (1, 1, 0)


def test_another_project_adds_nothing(house: Any) -> None:
    house.tell(*house.life("t", house.now - MINUTE, 0, S))
    house.round()
    mine, house.project_id = house.project_id, house.add_project("Other")
    assert house.series(house.now - HOUR, house.now).groups[0].ended == 0
    house.project_id = mine
    assert house.series(house.now - HOUR, house.now).groups[0].ended == 1


def test_the_number_of_rows_is_bounded(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(series_rows, "MAX_ROWS", 3)
    monkeypatch.setattr("z4j_brain.series.reading.MAX_ROWS", 3)
    at = house.now - 5 * MINUTE
    for number in range(5):
        house.tell(*house.life(f"{number}", at, 0, S, name=f"n{number}"))
    house.round()
    with pytest.raises(SeriesRefused, match="Too many queues and task names"):
        house.series(at, at + 1, group_by="name", resolution="hour")
    assert house.series(at, at + 1, resolution="hour").groups[0].ended == 5


def test_no_hole_and_nothing_twice_at_the_seams(house: Any) -> None:
    """Days of which the minutes and hours are gone, next to days that still have them."""
    begun = house.now
    for day in range(5):
        house.tell(*house.life(f"t{day}", begun - day * DAY, 0, S))
    house.round()
    house.round()
    days = house.series(begun - 4 * DAY, begun + 1, resolution="day").groups[0]
    assert [point.figures.succeeded for point in days.points] == [1] * 5
    hours = house.series(begun - 4 * DAY, begun + 1, resolution="hour").groups[0]
    assert [point.at for point in hours.points if point.figures.succeeded] == [
        begun - day * DAY for day in reversed(range(5))
    ]
    with house.database.read() as connection:
        kept = rollup_horizons.horizon(connection, house.project_id, "minute")
    minutes = house.series(max(kept, begun - 10 * HOUR), begun + 1, resolution="minute").groups[0]
    assert minutes.total.succeeded == 1


def test_the_flow_of_a_queue_goes_on_over_the_move(house: Any) -> None:
    """The page of a queue looks back a week, of which the minutes are not kept."""
    begun = house.now
    for day in range(4):
        house.tell(*house.life(f"t{day}", begun - day * DAY + 330 * S, 0, S))
    house.round()
    house.round()
    with house.database.read() as connection:
        assert rollup_horizons.horizon(connection, house.project_id, "minute") > begun - 3 * DAY
        for key in (None, ("celery", "email")):
            found = flow(connection, house.project_id, begun - 3 * DAY, begun + HOUR, key)
            assert [one.ended for one in found] == [1] * 4
