"""The module that names the tasks turns the engine on."""

from shop_tasks import pack

import z4j_celery.auto  # noqa: F401

__all__ = ["pack"]
