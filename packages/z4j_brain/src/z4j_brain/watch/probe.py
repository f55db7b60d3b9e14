"""Asks the database a question without piling up threads when it does not answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Generic, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from z4j_brain.store.database import Database

logger = logging.getLogger("z4j.health")
PATIENCE_S = 5.0
Answer = TypeVar("Answer")


class Probe(Generic[Answer]):
    """One question, asked once at a time: whoever asks meanwhile shares the answer.

    So a database that hangs costs one thread, however often it is asked. For one event loop.
    """

    def __init__(self, database: Database, question: Callable[[Connection], Answer]) -> None:
        self._database = database
        self._question = question
        self._asking: asyncio.Task[Answer | None] | None = None

    async def ask(self, patience_s: float = PATIENCE_S) -> Answer | None:
        """Return the answer, or None when there is none after `patience_s`. Never raises."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        try:
            async with asyncio.timeout(patience_s):
                return await asyncio.shield(self._asking)
        except TimeoutError:
            logger.warning("the database has not answered for %g s", patience_s)
            return None

    async def _ask(self) -> Answer | None:
        try:
            return await self._database.run(self._question)
        except (SQLAlchemyError, OSError) as error:
            logger.warning("the database does not answer (%s)", type(error).__name__)
            return None
