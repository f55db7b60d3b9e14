"""z4j engine plugin for Celery.

Turn it on with ``import z4j_celery.auto`` where the Celery app is defined, or with the worker
option ``--include z4j_celery.auto``. Nothing happens unless `Z4J_URL` is set.
"""

__version__ = "0.1.0"
