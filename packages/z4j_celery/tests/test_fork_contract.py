"""The contract of forks, with a real prefork worker and the real agent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from celery_forks import CeleryForks

from z4j_agent.testing import LoopbackBrain
from z4j_core.testing.fork_contract import ForkContract


@pytest.fixture(scope="module")
def forking(
    tmp_path_factory: pytest.TempPathFactory, own_databases: Iterator[str]
) -> Iterator[CeleryForks]:
    with LoopbackBrain() as server:
        forks = CeleryForks(tmp_path_factory.mktemp("forks"), next(own_databases), server)
        yield forks
        forks.close()


class TestPrefork(ForkContract):
    """With the fixture `forking` of this module."""
