"""A few fixed seeds; `python -m tests.faults` runs as many as one likes."""

from __future__ import annotations

import pytest

from faults.arena import run_schedule
from faults.databases import Template
from faults.schedule import EVERYWHERE, ONLY_ON, DatabaseKind, make_schedule

SEEDS = (3, 17, 24)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_record_equals_the_truth(template: Template, seed: int) -> None:
    schedule = make_schedule(seed, template.kind)
    verdict = run_schedule(schedule, template)
    said = "\n".join(verdict.troubles)
    assert not verdict.troubles, f"{said}\n{schedule}\nagain: {schedule.again}"
    assert verdict.events > 100


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_schedule_is_a_function_of_its_seed(database: DatabaseKind) -> None:
    made = [make_schedule(seed, database) for seed in range(300)]
    assert made == [make_schedule(seed, database) for seed in range(300)]
    kinds = {fault.kind for schedule in made for fault in schedule.faults}
    assert kinds == EVERYWHERE.keys() | ONLY_ON[database].keys()
    assert {bool(one.emitters[1].children) for one in made} == {True, False}
    assert str(made[0]) != str(made[1])
