"""z4j scheduler plugin for the schedules of TaskIQ.

Turn it on with ``import z4j_taskiq.auto`` in the module of the `TaskiqScheduler`. Nothing happens
unless `Z4J_URL` is set. There is no engine plugin for TaskIQ's tasks yet.
"""

from __future__ import annotations

__version__ = "0.1.0"
