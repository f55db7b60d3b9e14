"""Each statement is compiled once for all the databases that the tests make."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.util import LRUCache

from z4j_brain.store.database import Database

MOST = 4_000


class Compiled(LRUCache[Any, Any]):
    """Compiled statements, kept by the kind of the database where SQLAlchemy names its engine's
    dialect.
    """

    def get(self, key: Any, default: Any = None) -> Any:
        """Return what an engine of this kind has compiled."""
        return super().get((key[0].name, *key[1:]), default)

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__((key[0].name, *key[1:]), value)


@pytest.fixture(scope="session", autouse=True)
def compiled_once() -> Iterator[None]:
    """A server compiles a statement once, too; here each test makes a database of its own."""
    compiled, create = Compiled(MOST), Database._create

    def create_sharing(database: Database, *arguments: Any) -> Engine:
        engine = create(database, *arguments)
        engine.update_execution_options(compiled_cache=compiled)
        return engine

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Database, "_create", create_sharing)
        yield
