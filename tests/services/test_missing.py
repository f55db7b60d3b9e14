from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from services.cache import cache_folder, cached
from services.debian import program
from services.missing import ServiceMissingError, give_up
from services.ports import HIGHEST, LOWEST, free_port
from services.process import ServiceFailedError, ServiceProcess

MISSING = ServiceMissingError("Install it with `apt-get install thing`.")


def test_missing_service_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="apt-get install thing"):
        give_up(MISSING)


def test_missing_service_fails_under_the_test_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("Z4J_REQUIRE_SERVICES", "1")
    with pytest.raises(pytest.fail.Exception):
        give_up(MISSING)


def test_missing_service_skips_elsewhere_and_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CI", "false")
    monkeypatch.delenv("Z4J_REQUIRE_SERVICES", raising=False)
    with pytest.raises(pytest.skip.Exception, match="apt-get install thing"):
        give_up(MISSING)


def test_program_that_nobody_may_install_is_named_with_its_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(ServiceMissingError, match="apt-get install redis-server"):
        program(("redis-server",), "redis-server")


def test_where_a_package_is_not_to_be_had_the_next_one_is_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[str] = []

    def install(package: str) -> None:
        asked.append(package)
        if package == "shell":
            raise MISSING
        (tmp_path / "browser").touch(0o755)

    (tmp_path / "apt-get").touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr("services.debian._install", install)
    assert program(("browser",), "shell", "browser") == str(tmp_path / "browser")
    assert asked == ["shell", "browser"]


def test_cache_is_filled_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("Z4J_TEST_CACHE", str(tmp_path / "cache"))
    filled: list[Path] = []

    def fill(folder: Path) -> None:
        filled.append(folder)
        (folder / "binary").touch()

    assert cached("thing-1", fill) == cached("thing-1", fill) == cache_folder() / "thing-1"
    assert len(filled) == 1
    assert [path.name for path in cache_folder().rglob("*")] == ["thing-1", "binary"]


def test_interrupted_download_leaves_nothing_in_the_cache(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("Z4J_TEST_CACHE", str(tmp_path))

    def fill(folder: Path) -> None:
        (folder / "half").touch()
        raise ConnectionError

    with pytest.raises(ConnectionError):
        cached("thing-1", fill)
    assert list(tmp_path.iterdir()) == []


def test_two_fills_at_once_leave_one_whole_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("Z4J_TEST_CACHE", str(tmp_path))

    def first(folder: Path) -> None:
        (folder / "binary").write_text("first")
        cached("thing-1", second)

    def second(folder: Path) -> None:
        (folder / "binary").write_text("second")

    assert (cached("thing-1", first) / "binary").read_text() == "second"
    assert [path.name for path in tmp_path.iterdir()] == ["thing-1"]


def test_free_ports_are_below_those_of_outgoing_connections() -> None:
    assert LOWEST <= free_port() < HIGHEST


@pytest.mark.skipif(sys.platform != "linux", reason="names without a file are Linux's own")
def test_a_port_is_given_to_one_process_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.ports.random.sample", lambda ports, _count: [*ports][:9])
    program = (
        "import sys; from services import ports; ports.random.sample = lambda all, _: [*all][:9]\n"
        "print(ports.free_port(), ports.free_port(), flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with other:
        assert other.stdout is not None
        theirs = {int(port) for port in other.stdout.readline().split()}
        ours = {free_port() for _ in range(2)}
    assert len(theirs | ours) == 4


def test_server_that_ends_at_once_is_reported_with_its_log(tmp_path: Path) -> None:
    program = "import sys; sys.exit('no such setting')"
    process = ServiceProcess([sys.executable, "-c", program], tmp_path / "log", cwd=tmp_path)
    with pytest.raises(ServiceFailedError, match="no such setting"):
        process.start(lambda: False)
    assert not process.is_running


def test_server_is_not_left_behind_when_waiting_for_it_fails(tmp_path: Path) -> None:
    program = "import signal; signal.pause()"
    process = ServiceProcess([sys.executable, "-c", program], tmp_path / "log", cwd=tmp_path)

    def interrupt() -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        process.start(interrupt)
    assert not process.is_running
    process.stop(signal.SIGTERM)
