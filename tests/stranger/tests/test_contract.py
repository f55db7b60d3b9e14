"""Lantern's engine passes the contract kit."""

import pytest
from lantern.work import lantern
from lantern_harness import LanternHarness

from z4j_core.events import Kind
from z4j_core.frames import TaskRef
from z4j_core.testing.action_contract import ActionContract, EngineStage, Scene
from z4j_core.testing.engine_contract import EngineContract


class TestLantern(EngineContract):
    module = "lantern.plugin"  # must be importable …
    library = "lantern.work"  # … without importing this

    @pytest.fixture
    def harness(self):
        harness = LanternHarness()
        yield harness
        harness.close()


class LanternStage(EngineStage):
    def scenes(self):
        first, begun = self.harness.run_succeeding(41), self.harness.begun
        self.harness.host.wait_for(first, Kind.SUCCEEDED)
        yield Scene("retry", lambda: begun - {first}, task=TaskRef(first))
        before = lantern.oil
        yield Scene("refill", lambda: lantern.oil == before + 3, params={"litres": 3})


class TestLanternActions(ActionContract):
    @pytest.fixture
    def stage(self):
        stage = LanternStage((harness := LanternHarness()).engine)
        stage.harness = harness
        yield stage
        harness.close()
