from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from z4j_agent import __version__, cli
from z4j_agent.testing import LoopbackBrain
from z4j_core.seal import parse_seal_keys


@pytest.fixture(autouse=True)
def log_as_before() -> Iterator[None]:
    yield
    logging.getLogger("z4j.agent").disabled = False


def test_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(["--help"])
    assert end.value.code == 0
    text = capsys.readouterr().out
    for word in ("Z4J_URL", "Z4J_TOKEN", "doctor", "plugins", "version", "examples:"):
        assert word in text


def test_without_a_verb_it_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 0
    assert "examples:" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["version"]) == 0
    assert f"z4j-agent {__version__}," in capsys.readouterr().out


def test_doctor_tells_by_its_status(
    brain: LoopbackBrain, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in brain.environment(Z4J_PLUGINS="none").items():
        monkeypatch.setenv(name, value)
    assert cli.main(["doctor"]) == 0
    assert "The agent works" in capsys.readouterr().out
    assert cli.main(["doctor", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["healthy"] is True
    brain.refuse_with = 401
    assert cli.main(["doctor", "--timeout", "60"]) == 1
    assert "Mint a new token" in capsys.readouterr().out


@pytest.mark.parametrize("seconds", ["0", "61", "nan", "soon", "-1"])
def test_a_bad_timeout_is_refused(seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(["doctor", "--timeout", seconds])
    assert end.value.code == 2
    assert "from 1 to 60" in capsys.readouterr().err


def test_plugins_lists_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("Z4J_PLUGINS", "none")
    assert cli.main(["plugins"]) == 0
    assert "No plugin is installed" in capsys.readouterr().out


def test_seal_key_prints_a_key_alone_and_its_id_beside(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["seal-key"]) == 0
    printed = capsys.readouterr()
    [key] = parse_seal_keys(printed.out)
    assert printed.out == f"{key.text()}\n"
    assert printed.err == f"key id: {key.id.hex()}\n"
    cli.main(["seal-key"])
    assert capsys.readouterr().out != printed.out
