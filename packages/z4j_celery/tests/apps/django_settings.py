"""Settings of a Django project with periodic tasks."""

import os

from beat_entries import ENTRIES

SECRET_KEY = "for tests"
INSTALLED_APPS = ["django_celery_beat"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["DATABASE"],
        # Else SQLite refuses whoever reads and then writes while another writes.
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 60},
    }
}
USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CELERY_BEAT_SCHEDULE = ENTRIES
