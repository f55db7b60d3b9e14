"""How long to wait before the next attempt to connect."""

from __future__ import annotations

from random import Random

NETWORK = (1.0, 60.0)
"""First and greatest wait in seconds after a failure of the network or of the server."""
AUTHENTICATION = (10.0, 600.0)
"""First and greatest wait in seconds after the server refused the credential."""


class BackOff:
    """Exponential back-off with full jitter; it never gives up. Not thread-safe.

    Full jitter (a uniform draw from 0 to the bound) spreads many agents that lost the same
    server best: see "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._failures = 0

    def failed(self, bounds: tuple[float, float] = NETWORK) -> float:
        """Return the seconds to wait after one more failure in a row."""
        first, greatest = bounds
        bound = min(greatest, first * 2.0 ** min(self._failures, 32))
        self._failures += 1
        if bounds is AUTHENTICATION:
            return bound / 2 + self._random.uniform(0, bound / 2)
        return self._random.uniform(0, bound)

    def succeeded(self) -> None:
        """Begin anew after a link that opened."""
        self._failures = 0
