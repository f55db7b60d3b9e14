"""A process of the Django project that publishes nothing and runs no beat, such as a web server."""

from __future__ import annotations

import time

import django
from beat_shop import host
from django.core.management import call_command

django.setup()
call_command("migrate", verbosity=0)
host.ensure_started("web")
while True:
    time.sleep(60)
