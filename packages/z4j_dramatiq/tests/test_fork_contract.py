"""The contract of forks, with Dramatiq's own command, its worker processes and the real agent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from dramatiq_forks import DramatiqForks, forked

from services.redis import Redis
from z4j_core.testing.fork_contract import ForkContract


@pytest.fixture(scope="module")
def forking(
    tmp_path_factory: pytest.TempPathFactory, redis_server: Redis
) -> Iterator[DramatiqForks]:
    url = f"{redis_server.url.rpartition('/')[0]}/8"
    with forked(tmp_path_factory.mktemp("forks"), url) as forks:
        yield forks


class TestWorkerProcesses(ForkContract):
    """With the fixture `forking` of this module."""
