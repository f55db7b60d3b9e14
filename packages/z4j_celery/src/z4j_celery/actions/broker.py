"""A broker connection for one action."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

CONNECT_TIMEOUT_S = 5


@contextmanager
def broker(app: Any) -> Iterator[Any]:
    """Open a connection of our own, never one from the app's pool.

    A pooled connection that has waited for replies is closed by every child that is forked later;
    on Redis that reads from the socket it shares with the parent, and the child hangs for ever.
    """
    with app.connection_for_write(connect_timeout=CONNECT_TIMEOUT_S) as connection:
        yield connection
