"""Lantern's engine passes the contract kit."""

import pytest
from lantern.work import lantern
from lantern_harness import LanternHarness

from z4j_core.testing.engine_contract import EngineContract


class TestLantern(EngineContract):
    module = "lantern.plugin"  # must be importable …
    library = "lantern.work"  # … without importing this

    @pytest.fixture
    def harness(self):
        harness = LanternHarness()
        yield harness
        harness.close()

    def test_its_own_action_pours_oil(self, harness):
        before = lantern.oil
        assert self.call(harness, "refill", litres=3).oil == lantern.oil == before + 3
