"""z4j scheduler plugin for the cron jobs of arq.

Turn it on with ``import z4j_arq.auto`` in the module of the worker's settings. Nothing happens
unless `Z4J_URL` is set. There is no engine plugin for arq's jobs yet.
"""

from __future__ import annotations

__version__ = "0.1.0"
