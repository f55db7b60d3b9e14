"""z4j scheduler plugin for the periodic tasks of Huey.

Turn it on with ``import z4j_huey.auto`` in the module of the `Huey` object. Nothing happens unless
`Z4J_URL` is set. There is no engine plugin for Huey's tasks yet.
"""

from __future__ import annotations

__version__ = "0.1.0"
