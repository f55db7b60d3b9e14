"""Django's command line."""

import os
import sys

from django.core.management import execute_from_command_line

# Not the folder of this file, which would make its modules importable under a second name.
sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "django_shop.settings")
execute_from_command_line(sys.argv)
