"""Which processes of a Django project stay off, and which is the development server."""

from __future__ import annotations

import pytest

from z4j_django.process import is_development_server, stays_off

MANAGEMENT = {"django.core.management"}


@pytest.mark.parametrize(
    "command", ["migrate", "makemigrations", "shell", "test", "testserver", "check", "z4j_check"]
)
def test_commands_of_django_stay_off(command: str) -> None:
    for program in ("manage.py", "/srv/shop/manage.py", "django-admin", "shop"):
        assert stays_off([program, command, "--verbosity", "2"], MANAGEMENT, {})


@pytest.mark.parametrize(
    "argv",
    [
        ["manage.py", "runserver", "8000"],
        ["manage.py", "rqworker"],
        ["manage.py", "send_newsletter"],
        ["manage.py"],
        ["celery", "-A", "shop", "worker"],
        ["gunicorn", "shop.wsgi"],
        ["uwsgi"],
        [],
    ],
)
def test_servers_workers_and_commands_of_projects_do_not(argv: list[str]) -> None:
    assert not stays_off(argv, MANAGEMENT, {})


def test_an_argument_of_a_script_is_no_command_of_django() -> None:
    assert not stays_off(["script.py", "test"], set(), {})


def test_a_run_of_pytest_stays_off() -> None:
    modules = {"pytest"}
    for program in ("/venv/bin/pytest", "/venv/lib/python3/site-packages/pytest/__main__.py"):
        assert stays_off([program, "tests"], modules, {})
    assert stays_off(["-c"], modules, {"PYTEST_XDIST_WORKER": "gw0"})
    # What a test starts inherits its environment, and what imports pytest is no run of it.
    assert not stays_off(["gunicorn", "shop.wsgi"], set(), {"PYTEST_XDIST_WORKER": "gw0"})
    assert not stays_off(["gunicorn", "shop.wsgi"], modules, {})


def test_the_development_server_is_not_its_watcher() -> None:
    watched = ["manage.py", "runserver"]
    assert not is_development_server(watched, {})
    assert is_development_server(watched, {"RUN_MAIN": "true"})
    assert is_development_server([*watched, "--noreload"], {})
    assert not is_development_server(["manage.py", "migrate"], {"RUN_MAIN": "true"})
