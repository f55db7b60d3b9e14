"""How the contracts wait: for a condition, never for a time."""

from __future__ import annotations

import time
from collections.abc import Callable


class Patient:
    """The base of the contracts; `patience_s`, in seconds, is how long each wait may take."""

    patience_s = 60.0

    def until(self, condition: Callable[[], object], what: str = "it") -> None:
        """Wait until the condition holds."""
        deadline = time.monotonic() + self.patience_s
        while not condition():
            assert time.monotonic() < deadline, f"{what} did not come about"
            time.sleep(0.01)
