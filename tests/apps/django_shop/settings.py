"""The least that a project needs, and z4j."""

from pathlib import Path

SECRET_KEY = "not a secret"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "django_shop.urls"
INSTALLED_APPS = ["django.contrib.contenttypes", "z4j_django"]
DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": Path(__file__).parent / "db"},
}
