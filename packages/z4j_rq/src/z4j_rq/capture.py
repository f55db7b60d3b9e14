"""Everything that the attached engine holds in this process, and where workers find it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from z4j_core.plugins import Host
    from z4j_rq.cancelled import Cancellations
    from z4j_rq.process import Process
    from z4j_rq.publish import Publications
    from z4j_rq.run import Runs

_current: Capture | None = None


class Capture:
    """The parts, made together; `attach` and `detach` belong to one thread."""

    process: Process
    publications: Publications
    cancellations: Cancellations
    runs: Runs

    def __init__(self, host: Host) -> None:
        from z4j_rq.cancelled import Cancellations
        from z4j_rq.patches import Patches
        from z4j_rq.process import Process
        from z4j_rq.publish import Publications
        from z4j_rq.run import Runs

        self.process = Process(host)
        self.publications = Publications(self.process)
        self.cancellations = Cancellations(self.process)
        self.runs = Runs(self.process, self.publications)
        self._patches = Patches(self.publications, self.cancellations, self.runs)

    def attach(self) -> None:
        """Patch RQ, and let workers find this."""
        global _current
        self._patches.attach()
        _current = self

    def detach(self) -> None:
        """Undo both."""
        global _current
        self._patches.detach()
        if _current is self:
            _current = None


def current() -> Capture | None:
    """Return what the attached engine holds; None if none is attached."""
    return _current
