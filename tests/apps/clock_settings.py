"""Settings of a Django project with periodic tasks."""

import os

SECRET_KEY = "not a secret"
INSTALLED_APPS = ["django_celery_beat"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["CLOCK_FILE"],
        # Else SQLite refuses whoever reads and then writes while another writes.
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 60},
    }
}
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
