"""The contract kit in a process of a Django project; run by `test_django_beat`."""

# ruff: noqa: E402 - Django is set up before its models are imported

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import django
import pytest
from celery import Celery

django.setup()

from django.core.management import call_command
from django.db import connection
from django_celery_beat.models import IntervalSchedule, PeriodicTask, PeriodicTasks

from z4j_celery.schedulers.django_beat import DjangoCeleryBeat
from z4j_core.capability import NoParams
from z4j_core.testing.scheduler_contract import SchedulerContract

app = Celery("contract", broker=os.environ["BROKER_URL"])


class Harness:
    """Makes periodic tasks with the models themselves."""

    def __init__(self) -> None:
        self.scheduler = DjangoCeleryBeat()
        self._before = 0
        self._before = self.published()

    def add(self, name: str, **arguments: str) -> str:
        daily = IntervalSchedule.objects.create(every=1, period=IntervalSchedule.DAYS)
        PeriodicTask.objects.create(
            name=name, task="t", interval=daily, kwargs=json.dumps(arguments), queue="contract"
        )
        return name

    def enabled(self, schedule: str) -> bool | None:
        found = PeriodicTask.objects.filter(name=schedule).values_list("enabled", flat=True)
        return found.first()

    def published(self) -> int:
        with app.connection_for_read() as broker:
            declared = broker.default_channel.queue_declare("contract")
            return int(declared.message_count) - self._before

    def changed(self) -> dict[str, Any]:
        return {"crontab": "30 2 * * *"}

    def creatable(self, name: str) -> dict[str, Any]:
        return {"name": name, "task": "t", "every_s": 3_600}


class TestDjangoContract(SchedulerContract):
    module = "z4j_celery.schedulers.django_plugin"
    library = "django_celery_beat"

    @pytest.fixture
    def harness(self) -> Iterator[Harness]:
        call_command("migrate", verbosity=0)
        yield Harness()
        PeriodicTask.objects.all().delete()
        connection.close()


def test_a_change_is_told_to_beat() -> None:
    """`PeriodicTasks` is what beat looks at."""
    call_command("migrate", verbosity=0)
    harness = Harness()
    harness.add("mine")
    seen = [PeriodicTasks.last_change()]
    for act in (harness.scheduler.pause, harness.scheduler.resume, harness.scheduler.delete):
        act("mine", NoParams())
        seen.append(PeriodicTasks.last_change())
    assert seen == sorted(set(seen))
    connection.close()
