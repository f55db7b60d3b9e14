"""A Django project as it comes: Celery's app is imported by the project's package."""

import os

if "BROKER_URL" in os.environ:
    from shop_tasks import app as celery

    __all__ = ["celery"]
