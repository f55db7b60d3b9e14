"""Import this module to report the tasks of this process to z4j.

Nothing happens, and nothing is imported, unless `Z4J_URL` is set. Where it stands relative to
the creation of the Celery app does not matter.
"""

from __future__ import annotations

import os

if os.environ.get("Z4J_URL", "").strip():
    import celery  # noqa: F401 - the plugin's hook looks whether Celery is in use

    import z4j_agent

    z4j_agent.register()
