"""One link for each process that serves, none for those that do not, whatever server forks them."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from web_server import APPS, WebServer
from z4j_agent.testing import LoopbackBrain, new_credential

GUNICORN = ("-m", "gunicorn", "--bind", "127.0.0.1:{port}", "--log-level", "warning")
UVICORN = ("-m", "uvicorn", "--port", "{port}", "--log-level", "warning")
MANAGE = str(APPS / "django_shop/manage.py")
DJANGO, FLASK, FASTAPI = "django_shop.wsgi", "flask_shop:create_app()", "fastapi_shop:app"
RUN_UWSGI = (
    "import os, sys; program = os.path.join(os.path.dirname(sys.executable), 'uwsgi'); "
    "os.execv(program, [program, *sys.argv[1:]])"
)
UWSGI = (
    *("-c", RUN_UWSGI, "--http-socket", "127.0.0.1:{port}", "--master", "--processes", "2"),
    *("--enable-threads", "--need-app", "--die-on-term", "--disable-logging"),
)


@pytest.fixture
def brain() -> Iterator[LoopbackBrain]:
    with LoopbackBrain() as brain:
        yield brain


def linked(brain: LoopbackBrain) -> set[int]:
    """Return the processes that have ever connected."""
    return {hello.pid for hello in brain.hellos}


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("django", (*GUNICORN, "-w", "2", "--preload", DJANGO)),
        ("django", (*GUNICORN, "-w", "2", DJANGO)),
        ("flask", (*GUNICORN, "-w", "2", "--threads", "2", "--preload", FLASK)),
        ("fastapi", (*GUNICORN, "-w", "2", "-k", "asgi", "--preload", FASTAPI)),
        ("flask", (*UWSGI, "--module", FLASK)),
        ("django", (*UWSGI, "--module", DJANGO)),
    ],
    ids=["django-preload", "django", "flask-preload", "fastapi-preload", "flask-uwsgi", "uwsgi"],
)
def test_each_worker_has_a_link_and_says_goodbye_for_itself_alone(
    name: str, command: tuple[str, ...], brain: LoopbackBrain, tmp_path: Path
) -> None:
    with WebServer(tmp_path, command, brain.environment()) as web:
        first = web.pids(2)
        assert brain.wait_for(lambda: brain.open_links == 2)
        assert linked(brain) == first
        assert web.pid not in first
        assert {(hello.role, hello.framework) for hello in brain.hellos} == {("web", name)}

        gone = min(first)
        os.kill(gone, signal.SIGTERM)
        # Another takes its place; the one that stayed has kept its link.
        [second] = web.pids(1, but=first)
        assert brain.wait_for(lambda: len(brain.hellos) == 3 and brain.open_links == 2)
        assert linked(brain) == {*first, second}

        assert web.stop() == 0
        assert brain.wait_for(lambda: brain.open_links == 0)
        assert len(brain.hellos) == 3
        # Not the number: a process does not wait long for its goodbye to leave.
        assert brain.goodbyes


def test_workers_that_are_replaced_after_some_requests(
    brain: LoopbackBrain, tmp_path: Path
) -> None:
    configuration = tmp_path / "gunicorn.conf.py"
    configuration.write_text(
        "import z4j_agent\n\ndef post_worker_init(worker):\n    z4j_agent.start('web')\n"
    )
    options = ("-c", str(configuration), "-w", "2", "--max-requests", "3")
    with WebServer(tmp_path, (*GUNICORN, *options, DJANGO), brain.environment()) as web:
        assert brain.wait_for(lambda: brain.open_links == 2), "they need no request"
        served = web.pids(4)
        assert brain.wait_for(lambda: served <= linked(brain))
        assert web.stop() == 0
        assert brain.wait_for(lambda: brain.open_links == 0)
        assert len(brain.hellos) == len(linked(brain)), "each connects once"
        assert brain.goodbyes
        assert web.pid not in linked(brain)


def test_uvicorn_workers_are_linked_while_their_lifespan_lasts(
    brain: LoopbackBrain, tmp_path: Path
) -> None:
    with WebServer(tmp_path, (*UVICORN, "--workers", "2", FASTAPI), brain.environment()) as web:
        assert brain.wait_for(lambda: brain.open_links == 2), "they need no request"
        assert web.get("/greeting") == "hello"
        assert linked(brain) == web.pids(2)
        assert {(hello.role, hello.framework) for hello in brain.hellos} == {("web", "fastapi")}
        web.stop()
        assert brain.wait_for(lambda: brain.open_links == 0)
        assert brain.goodbyes


def test_uvicorn_ends_django_without_a_word_and_the_link_with_it(
    brain: LoopbackBrain, tmp_path: Path
) -> None:
    """Django refuses a lifespan, and the signal skips exit handlers."""
    command = (*UVICORN, "--workers", "2", "--lifespan", "off", "django_shop.asgi:application")
    with WebServer(tmp_path, command, brain.environment()) as web:
        served = web.pids(2)
        assert brain.wait_for(lambda: brain.open_links == 2)
        assert linked(brain) == served
        web.stop()
        assert brain.wait_for(lambda: brain.open_links == 0)


def test_the_development_server_has_one_link_also_after_an_edit(
    brain: LoopbackBrain, tmp_path: Path
) -> None:
    apps = tmp_path / "apps"
    shutil.copytree(APPS / "django_shop", apps / "django_shop")
    command = (str(apps / "django_shop/manage.py"), "runserver", "--skip-checks", "{port}")
    with WebServer(tmp_path, command, brain.environment(), apps) as web:
        assert brain.wait_for(lambda: brain.open_links == 1), "it needs no request"
        [first] = web.pids(1)
        answers = [str(first)]

        def is_another() -> bool:
            # Again and again: the reloader may look for the first time after an edit.
            (apps / "django_shop/urls.py").touch()
            answers.append(web.get())
            return answers[-1] not in ("", str(first))  # nothing: it ended while it answered

        web.wait_for(is_another, "another process")
        second = int(answers[-1])
        assert brain.wait_for(lambda: brain.open_links == 1 and len(brain.hellos) == 2)
        assert [hello.pid for hello in brain.hellos] == [first, second]
        assert web.pid not in (first, second)


def test_the_development_server_of_flask(brain: LoopbackBrain, tmp_path: Path) -> None:
    command = ("-m", "flask", "--app", "flask_shop", "run", "--port", "{port}", "--reload")
    with WebServer(tmp_path, command, brain.environment()) as web:
        [served] = web.pids(1)
        assert brain.wait_for(lambda: brain.open_links == 1)
        assert [hello.pid for hello in brain.hellos] == [served]
        assert served != web.pid


def test_commands_that_neither_serve_nor_work_stay_off(
    brain: LoopbackBrain, tmp_path: Path
) -> None:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("Z4J_")},
        **brain.environment(),
        "PYTHONPATH": str(APPS),
        "BROKER_URL": "memory://",
    }

    publishing = "import z4j_celery.auto; from shop_tasks import pack; print(pack.delay(1).id)"
    commands = [
        ("shell", "--no-imports", "-c", publishing),
        ("test", "django_shop"),
        ("migrate", "--plan"),
        ("z4j_check",),  # which tells that the server would have heard of them
    ]
    processes = [
        subprocess.Popen(
            [sys.executable, MANAGE, *command], env=environment, stdout=subprocess.PIPE, text=True
        )
        for command in commands
    ]
    *_, report = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0, 0], report
    assert "welcome" in report
    assert [hello.role for hello in brain.hellos] == ["doctor"]
    assert brain.events == []


@pytest.fixture
def nowhere() -> Iterator[int]:
    """A port where nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.fixture
def black_hole() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as hole:
        yield hole.getsockname()[1]


@pytest.fixture
def babbler() -> Iterator[int]:
    """A port that answers garbage."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        threading.Thread(target=_babble, args=(server,), daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def _babble(server: socket.socket) -> None:
    while True:
        try:
            caller, _ = server.accept()
        except OSError:
            return
        with caller:
            caller.sendall(b"\x00\xff garbage\r\n\r\n" * 64)


@pytest.mark.parametrize("server", ["nowhere", "black_hole", "babbler"])
def test_a_host_serves_and_ends_although_the_server_is_unwell(
    server: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    port = request.getfixturevalue(server)
    ended: list[int] = []
    environment = {
        "Z4J_URL": f"http://127.0.0.1:{port}",
        "Z4J_TOKEN": new_credential().token(),
        "BROKER_URL": "memory://",
    }
    commands = ((*GUNICORN, DJANGO), (*UVICORN, FASTAPI))
    with contextlib.ExitStack() as all_of_them:
        for web in [
            all_of_them.enter_context(WebServer(tmp_path, command, environment))
            for command in commands
        ]:
            assert int(web.get())
            assert len(web.get("/order/1")) == 36
            all_of_them.callback(lambda web=web: ended.append(web.stop()))  # type: ignore[misc]
    assert ended == [-signal.SIGTERM, 0]
