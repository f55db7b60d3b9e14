"""How long HTTP requests took, by where they went and how they ended."""

from __future__ import annotations

from z4j_brain.histogram import Histogram

AREAS = {
    "api": "api",
    "assets": "assets",
    "healthz": "health",
    "readyz": "health",
    "metrics": "metrics",
}
"""The first step of a path, and its name as a label; every other path is a page."""
PAGE = "page"


class RequestTimes:
    """The durations of finished requests. For one event loop."""

    def __init__(self) -> None:
        self.histograms: dict[tuple[str, str], Histogram] = {}

    def observe(self, path: str, status: int, seconds: float) -> None:
        """Add one request; `status` is that of its answer."""
        area = AREAS.get(path.split("/", 2)[1] if path.startswith("/") else "", PAGE)
        key = (area, f"{status // 100}xx")
        histogram = self.histograms.get(key)
        if histogram is None:
            histogram = self.histograms[key] = Histogram()
        histogram.observe(seconds)
