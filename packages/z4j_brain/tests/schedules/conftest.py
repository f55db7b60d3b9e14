"""A fresh yard on each database, with the care of schedules."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from z4j_brain.store.database import Database

sys.path.insert(0, str(Path(__file__).parents[1] / "queues" / "parts"))

from queue_yard import Yard


@pytest.fixture
def yard(record_url: str) -> Iterator[Yard]:
    database = Database(record_url, pool_size=2)
    yield Yard(database)
    database.close()
