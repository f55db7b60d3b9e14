"""The contract of schedulers, with Periodiq's own actors on real Redis."""

from __future__ import annotations

import time
from typing import Any

import pytest
from dramatiq_stand import Shop

from z4j_core.capability import ActionError, NoParams
from z4j_core.testing.scheduler_contract import SchedulerContract

periodiq = pytest.importorskip("periodiq")

from z4j_dramatiq.periodic import PeriodiqScheduler  # noqa: E402


class Harness:
    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        shop.broker.add_middleware(periodiq.PeriodiqMiddleware())
        self.scheduler = PeriodiqScheduler()
        self.scheduler.attach(shop.host)

    def add(self, name: str, **arguments: str) -> str:
        self.shop.actor(lambda: None, actor_name=name, periodic=periodiq.cron("5 4 * * *"))
        return name

    def enabled(self, schedule: str) -> bool | None:
        actor = self.shop.broker.actors.get(schedule)
        return None if actor is None else "periodic" in actor.options

    def published(self) -> int:
        return int(self.shop.broker.client.llen("dramatiq:default"))

    def changed(self) -> dict[str, Any]:
        return {}

    def creatable(self, name: str) -> dict[str, Any]:
        return {}


class TestPeriodiq(SchedulerContract):
    module = "z4j_dramatiq.plugin"
    library = "periodiq"

    @pytest.fixture
    def harness(self, shop: Shop) -> Harness:
        return Harness(shop)

    def test_a_schedule_is_told_whole(self, harness: Any) -> None:
        """As the contract has it, but an actor's schedule has no arguments."""
        told = self.told(harness, harness.add("contract"))
        assert told is not None
        assert (told.task, told.timing, told.queue) == ("contract", "5 4 * * *", "default")
        assert told.next_run_at is not None
        assert 0 < told.next_run_at - time.time() * 1e6 <= 25 * 3_600e6
        assert set(told.absent) == {"pause", "resume", "update", "delete"}

    def test_an_actor_without_a_schedule_is_not_run(self, harness: Harness) -> None:
        harness.shop.actor(lambda: None, actor_name="plain")
        for name in ("plain", "unknown"):
            with pytest.raises(ActionError, match="no periodic actor"):
                harness.scheduler.run_now(name, NoParams())
