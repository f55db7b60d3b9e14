from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from z4j_agent.doctor import Report, Status, diagnose
from z4j_agent.testing import LoopbackBrain, new_credential
from z4j_core.plugins import hook

PEM = Path(__file__).with_name("localhost.pem")
NAMES = ["url", "token", "plugins", "spool", "dns", "tcp", "tls", "link", "version", "clock"]


def visit(environment: dict[str, str], points: Any = ()) -> Report:
    return diagnose(environment, points, timeout_s=60.0)


def texts(report: Report, status: Status) -> dict[str, str]:
    return {f.check: f.text for f in report.findings if f.status is status}


@pytest.fixture
def tls_brain() -> Iterator[LoopbackBrain]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(PEM)
    with LoopbackBrain(tls=context) as server:
        yield server


def test_all_is_well(brain: LoopbackBrain, plugin: Callable[..., Any]) -> None:
    report = visit(brain.environment(), [plugin("mine")])
    assert [finding.check for finding in report.findings] == NAMES
    assert report.is_healthy
    assert texts(report, Status.FAILED) == texts(report, Status.WARNING) == {}
    assert list(texts(report, Status.SKIPPED)) == ["spool", "tls"]
    assert report.as_text().endswith("All is well.")
    (hello,) = brain.hellos
    assert (hello.role, hello.engines) == ("doctor", [])
    assert brain.wait_for(lambda: brain.goodbyes)
    assert brain.goodbyes[0].code == "doctor"


def test_the_report_holds_no_secret(brain: LoopbackBrain) -> None:
    report = visit(brain.environment())
    for text in (report.as_text(), report.as_json()):
        assert brain.credential.token() not in text
        assert brain.credential.bearer() not in text
        assert str(brain.credential.agent_id) in text


def test_json_says_the_same(brain: LoopbackBrain) -> None:
    document = json.loads(visit(brain.environment()).as_json())
    assert document["healthy"] is True
    assert [finding["check"] for finding in document["findings"]] == NAMES


def test_without_settings_the_network_is_not_touched() -> None:
    report = visit({})
    failures = texts(report, Status.FAILED)
    assert "Z4J_URL is not set" in failures["url"]
    assert "Z4J_TOKEN is not set" in failures["token"]
    assert "network" in texts(report, Status.SKIPPED)
    assert "mend 'url' first" in report.as_text()


def test_a_bad_url(brain: LoopbackBrain) -> None:
    report = visit(brain.environment(Z4J_URL="localhost:8000"))
    assert "must begin with http:// or https://" in texts(report, Status.FAILED)["url"]


def test_a_typing_error_in_the_token(brain: LoopbackBrain) -> None:
    token = brain.credential.token()
    typo = token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB")
    report = visit(brain.environment() | {"Z4J_TOKEN": typo})
    assert "typing error" in texts(report, Status.FAILED)["token"]
    assert brain.hellos == []


def test_ignored_settings_and_plain_http_are_warned_of() -> None:
    report = diagnose({"Z4J_URL": "http://z4j.example.com", "Z4J_OUTBOX_BYTES": "x"}, ())
    warnings = texts(report, Status.WARNING)
    assert "not encrypted" in warnings["url"]
    assert "Z4J_OUTBOX_BYTES is ignored" in warnings["settings"]
    assert "no plugin is installed" in warnings["plugins"]


def test_a_bad_plugin_is_a_warning(brain: LoopbackBrain, plugin: Callable[..., Any]) -> None:
    @hook
    def z4j_engine(settings: Any) -> Any:
        raise RuntimeError("password=hunter2hunter2")

    report = visit(brain.environment(), [plugin("bad", z4j_engine=z4j_engine)])
    assert report.is_healthy
    assert "bad: z4j_engine failed" in texts(report, Status.WARNING)["plugins"]
    assert "hunter2" not in report.as_text()


def test_a_name_that_does_not_resolve(
    brain: LoopbackBrain, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_such_name(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_such_name)
    report = visit(brain.environment(Z4J_URL="https://z4j.invalid"))
    assert "cannot be resolved" in texts(report, Status.FAILED)["dns"]
    skipped = ["spool", "tcp", "tls", "link", "version", "clock"]
    assert list(texts(report, Status.SKIPPED)) == skipped


def test_nothing_listens(dead_port: int) -> None:
    url = f"http://127.0.0.1:{dead_port}"
    report = visit({"Z4J_URL": url, "Z4J_TOKEN": new_credential().token()})
    assert "Nothing listens" in texts(report, Status.FAILED)["tcp"]


def test_a_server_that_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        environment = {"Z4J_URL": url, "Z4J_TOKEN": new_credential().token()}
        report = diagnose(environment, (), timeout_s=1.0)
    assert "does not answer" in texts(report, Status.FAILED)["link"]


def test_tls_at_a_plain_port(brain: LoopbackBrain) -> None:
    report = visit(brain.environment(Z4J_URL=f"https://localhost:{brain.port}"))
    assert "use http:// in Z4J_URL" in texts(report, Status.FAILED)["tls"]


def test_plain_http_at_a_tls_port(tls_brain: LoopbackBrain) -> None:
    report = visit(tls_brain.environment(Z4J_URL=f"http://localhost:{tls_brain.port}"))
    assert "https:// if the server expects TLS" in texts(report, Status.FAILED)["link"]


def test_a_certificate_nobody_trusts(tls_brain: LoopbackBrain) -> None:
    report = visit(tls_brain.environment())
    assert "SSL_CERT_FILE" in texts(report, Status.FAILED)["tls"]


def test_a_private_authority(tls_brain: LoopbackBrain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(PEM))
    report = visit(tls_brain.environment())
    assert report.is_healthy
    assert "certificate trusted" in texts(report, Status.OK)["tls"]


def test_a_certificate_for_another_name(
    tls_brain: LoopbackBrain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(PEM))
    report = visit(tls_brain.environment(Z4J_URL=f"https://127.0.0.1:{tls_brain.port}"))
    assert "use the host name that stands in" in texts(report, Status.FAILED)["tls"]


def test_a_token_the_server_does_not_know(brain: LoopbackBrain) -> None:
    report = visit(brain.environment() | {"Z4J_TOKEN": new_credential().token()})
    assert "HTTP 401" in texts(report, Status.FAILED)["link"]
    assert "Mint a new token" in texts(report, Status.FAILED)["link"]


def test_a_wrong_signing_key(brain: LoopbackBrain) -> None:
    real = brain.credential
    forged = type(real)(real.agent_id, real.secret, b"x" * 32, real.seal_key)
    report = visit(brain.environment() | {"Z4J_TOKEN": forged.token()})
    assert "The signature does not fit" in texts(report, Status.FAILED)["link"]


def test_versions_that_do_not_fit(brain: LoopbackBrain) -> None:
    brain.protocol_version = 99
    report = visit(brain.environment())
    assert "upgrade the older one" in texts(report, Status.FAILED)["link"]


def test_a_redirect_is_not_followed(brain: LoopbackBrain) -> None:
    brain.refuse_with = 301
    report = visit(brain.environment())
    assert "set Z4J_URL to the address without a redirect" in texts(report, Status.FAILED)["link"]


@pytest.mark.parametrize(("offset_s", "side"), [(42, "behind"), (-42, "ahead of")])
def test_a_clock_that_is_off(brain: LoopbackBrain, offset_s: int, side: str) -> None:
    brain.clock_offset_us = offset_s * 1_000_000
    report = visit(brain.environment())
    assert report.is_healthy
    assert f"s {side} the server's" in texts(report, Status.WARNING)["clock"]
    assert "NTP" in texts(report, Status.WARNING)["clock"]


def test_through_a_proxy_name_and_port_are_the_proxys_business(
    brain: LoopbackBrain, monkeypatch: pytest.MonkeyPatch, dead_port: int
) -> None:
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{dead_port}")
    monkeypatch.delenv("no_proxy", raising=False)
    report = visit(brain.environment(Z4J_URL="https://z4j.invalid"))
    assert "proxy" in texts(report, Status.SKIPPED)["dns"]
    assert list(texts(report, Status.FAILED)) == ["link"]


def test_the_spool_is_tried(brain: LoopbackBrain, tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    report = visit(brain.environment(Z4J_SPOOL="on", Z4J_SPOOL_DIR=str(folder)))
    assert texts(report, Status.OK)["spool"].startswith(f"{folder} can be written; 0 in it")
    assert list(folder.iterdir()) == []
    (tmp_path / "file").write_text("")
    report = visit(brain.environment(Z4J_SPOOL="on", Z4J_SPOOL_DIR=str(tmp_path / "file")))
    assert "set Z4J_SPOOL_DIR" in texts(report, Status.WARNING)["spool"]
    assert report.is_healthy
