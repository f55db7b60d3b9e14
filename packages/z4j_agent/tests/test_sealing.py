"""Sealing with the real cipher: who can open what, and that nothing of it harms the host."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.missing import ServiceMissingError, give_up
from z4j_agent import sealing
from z4j_agent.doctor import Status, diagnose
from z4j_agent.plugin_set import PluginSet
from z4j_agent.relay import MAX_DATAGRAM, RelayReader, RelayWriter, open_pair
from z4j_agent.runtime import Agent
from z4j_agent.sealing import Sealing, new_key
from z4j_agent.settings import Settings
from z4j_agent.testing import LoopbackBrain, new_credential
from z4j_core.capability import ActionError
from z4j_core.events import Kind, TaskEvent, WireEvent
from z4j_core.frames import TaskRef
from z4j_core.plugins import Engine, Host, hook
from z4j_core.seal import MAX_SEALED, SealKey, unpack

if importlib.util.find_spec("cryptography") is None:
    give_up(ServiceMissingError("Install the extra: pip install 'z4j-agent[seal]'"))

VECTORS = Path(__file__).parents[2] / "z4j_core" / "tests" / "vectors" / "seal-v1.json"
CREDENTIAL = new_credential()
NEW, OLD = new_key(), new_key()
PLAIN = b'[["ada"],{"password":"hunter2-original"},{}]'


def sealing_with(*keys: SealKey, credential: Any = CREDENTIAL) -> Sealing:
    text = ",".join(key.text() for key in keys)
    return Sealing.of(settings(text, credential))


def settings(keys: str, credential: Any = CREDENTIAL) -> Settings:
    return Settings.from_environment(
        {"Z4J_URL": "http://127.0.0.1:9", "Z4J_TOKEN": credential.token(), "Z4J_SEAL_KEY": keys}
    )


def sealed(by: Sealing, engine: str = "celery", task_id: str = "t1") -> bytes:
    assert by.sealer is not None
    return by.sealer.seal(engine, task_id, PLAIN)


def refused(by: Sealing, data: bytes, engine: str = "celery", task_id: str = "t1") -> str:
    with pytest.raises(ActionError) as error:
        by.open(engine, TaskRef(task_id, sealed=data))
    assert "hunter2" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("vector", json.loads(VECTORS.read_text()), ids=lambda one: one["task_id"])
def test_the_published_vectors_open(vector: dict[str, str]) -> None:
    project = bytes.fromhex(vector["project_seal_key"])
    credential = msgspec.structs.replace(new_credential(), seal_key=project)
    opener = Sealing.of(settings(vector["key"], credential))
    ref = TaskRef(vector["task_id"], sealed=bytes.fromhex(vector["envelope"]))
    assert opener.open(vector["engine"], ref) == bytes.fromhex(vector["original"])


def test_what_is_sealed_is_not_seen_and_opens_again_elsewhere() -> None:
    data = sealed(sealing_with(NEW))
    assert b"hunter2" not in data
    assert b"ada" not in data
    other_process = sealing_with(NEW)
    assert other_process.open("celery", TaskRef("t1", sealed=data)) == PLAIN
    assert other_process.open("celery", TaskRef("t1")) is None


def test_no_two_envelopes_are_alike_and_a_process_has_a_salt_of_its_own() -> None:
    one, other = sealing_with(NEW), sealing_with(NEW)
    envelopes = [unpack(sealed(one)) for _ in range(50)]
    assert len({envelope.nonce for envelope in envelopes}) == 50
    assert {envelope.salt for envelope in envelopes} != {unpack(sealed(other)).salt}
    assert len({envelope.salt for envelope in envelopes}) == 1


def test_the_salt_changes_before_nonces_could_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "MAX_MESSAGES", 3)
    one = sealing_with(NEW)
    salts = [unpack(sealed(one)).salt for _ in range(7)]
    assert [salts.index(salt) for salt in salts] == [0, 0, 0, 3, 3, 3, 6]


def test_a_forked_child_takes_a_salt_of_its_own(in_child: Callable[..., int]) -> None:
    parent = sealing_with(NEW)
    salt = unpack(sealed(parent)).salt
    reading, writing = os.pipe()
    assert in_child(lambda: os.write(writing, sealed(parent)) and None) == 0
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        data = pipe.read()
    assert unpack(data).salt != salt
    assert parent.open("celery", TaskRef("t1", sealed=data)) == PLAIN


def test_the_blob_of_another_task_engine_or_project_does_not_open() -> None:
    one = sealing_with(NEW)
    data = sealed(one)
    assert "belong to another task" in refused(one, data, task_id="t2")
    assert "belong to another task" in refused(one, data, engine="rq")
    stranger = sealing_with(NEW, credential=new_credential())
    assert "sealed by an agent of another project" in refused(stranger, data)


def test_every_changed_byte_is_refused() -> None:
    one = sealing_with(NEW)
    data = sealed(one)
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1
        text = refused(one, bytes(changed))
        assert "Nothing was done." in text
        assert "edited retry" in text
    assert "damaged" in refused(one, data[:40])
    assert "they were changed" in refused(one, data[:-1])
    assert "damaged" in refused(one, data + bytes(MAX_SEALED))


def test_rotation_the_first_key_seals_and_all_open() -> None:
    before, rotated, after = sealing_with(OLD), sealing_with(NEW, OLD), sealing_with(NEW)
    old = sealed(before)
    assert rotated.open("celery", TaskRef("t1", sealed=old)) == PLAIN
    assert rotated.key_ids == [NEW.id.hex(), OLD.id.hex()]
    new = sealed(rotated)
    assert unpack(new).key_id == NEW.id
    assert after.open("celery", TaskRef("t1", sealed=new)) == PLAIN
    text = refused(after, old)
    assert f"sealed with the key {OLD.id.hex()}, which this process does not have" in text
    assert f"(it has {NEW.id.hex()})" in text
    assert "Append that key to its Z4J_SEAL_KEY" in text


def test_without_any_key_a_blob_is_refused_with_what_to_do() -> None:
    data = sealed(sealing_with(NEW))
    text = refused(Sealing.of(settings("")), data)
    assert "Z4J_SEAL_KEY is not set in this process" in text
    assert "pip install 'z4j-agent[seal]'" in text


def test_a_key_reaches_neither_plugins_nor_any_text() -> None:
    made = settings(f"{NEW.text()},{OLD.text()}")
    assert made.seal_keys == (NEW, OLD)
    assert "Z4J_SEAL_KEY" not in made.environment
    for secret in (NEW.text(), NEW.secret.hex(), repr(NEW.secret)):
        assert secret not in repr(made)


class Vault(Engine):
    """An engine that asks for what was sealed."""

    name = "vault"
    keeps_originals = True

    def attach(self, host: Host) -> None:
        """Capture nothing."""

    def detach(self) -> None:
        """Nothing to undo."""


class Plain(Vault):
    """One that does not."""

    name = "plain"
    keeps_originals = False


@hook
def z4j_engine(settings: Any) -> Engine:
    return Vault()


@hook
def plain(settings: Any) -> Engine:
    return Plain()


def secret_event(task_id: str = "t1") -> TaskEvent:
    data = {"args": [], "kwargs": {"password": "hunter2-original"}, "original": lambda: PLAIN}
    return TaskEvent(kind=Kind.RECEIVED, engine="vault", task_id=task_id, occurred_at=5, data=data)


def test_an_agent_says_its_keys_sends_the_seal_and_opens_it(
    brain: LoopbackBrain, new_agent: Callable[..., Agent], plugin: Callable[..., Any]
) -> None:
    points = [plugin("vault", z4j_engine=z4j_engine), plugin("plain", z4j_engine=plain)]
    keys = f"{NEW.text()},{OLD.text()}"
    agent = new_agent(brain.environment(Z4J_SEAL_KEY=keys), points)
    agent.start()
    agent.emit(secret_event())
    assert brain.wait_for(lambda: brain.events)
    [event] = brain.events
    assert event.sealed is not None
    assert b"hunter2" not in event.sealed + event.payload
    said = {engine.name: engine.seal_keys for engine in brain.hellos[0].engines}
    assert said == {"vault": [NEW.id.hex(), OLD.id.hex()], "plain": []}
    assert brain.hellos[0].plugin_errors == []
    assert agent.original_of("vault", TaskRef("t1", sealed=event.sealed)) == PLAIN


@pytest.mark.parametrize("keys", ["hunter2-is-no-key", new_key().text()[:-2]])
def test_a_bad_key_is_said_loudly_and_the_agent_goes_on(
    brain: LoopbackBrain,
    new_agent: Callable[..., Agent],
    plugin: Callable[..., Any],
    caplog: pytest.LogCaptureFixture,
    keys: str,
) -> None:
    agent = new_agent(brain.environment(Z4J_SEAL_KEY=keys), [plugin("v", z4j_engine=z4j_engine)])
    agent.start()
    agent.emit(secret_event())
    assert brain.wait_for(lambda: brain.events)
    assert brain.events[0].sealed is None
    [error] = brain.hellos[0].plugin_errors
    assert "Z4J_SEAL_KEY" in error
    assert "Until then nothing is sealed." in error
    assert brain.hellos[0].engines[0].seal_keys == []
    assert "Until then nothing is sealed." in caplog.text
    assert keys not in caplog.text + error


def test_the_doctor_looks_at_the_key(brain: LoopbackBrain) -> None:
    def look(keys: str) -> dict[str, tuple[Status, str]]:
        report = diagnose(brain.environment(Z4J_SEAL_KEY=keys), (), timeout_s=60.0)
        assert keys not in report.as_text() or not keys
        return {finding.check: (finding.status, finding.text) for finding in report.findings}

    assert "seal" not in look("")
    status, text = look(f"{NEW.text()},{OLD.text()}")["seal"]
    assert status is Status.OK
    assert text == f"arguments are sealed with the key {NEW.id.hex()}; opens {OLD.id.hex()} too"
    status, text = look(NEW.text()[:-3])["seal"]
    assert status is Status.WARNING
    assert "cut or too long: copy the whole key again" in text


WITHOUT = """
import sys
sys.modules["cryptography"] = None
from z4j_agent.sealing import Sealing
from z4j_agent.settings import Settings
from z4j_core.frames import TaskRef
sealing = Sealing.of(Settings.from_environment())
print(sealing.problem, sealing.key_ids)
try:
    sealing.open("celery", TaskRef("t1", sealed=bytes.fromhex(sys.argv[1])))
except Exception as error:
    print(type(error).__name__, error)
"""


def test_without_the_library_everything_else_works() -> None:
    data = sealed(sealing_with(NEW))
    environment = {
        "Z4J_URL": "http://127.0.0.1:9",
        "Z4J_TOKEN": CREDENTIAL.token(),
        "Z4J_SEAL_KEY": NEW.text(),
    }
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, data.hex()],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    problem, refusal = done.stdout.splitlines()
    assert "`cryptography` cannot be used here" in problem
    assert "pip install 'z4j-agent[seal]'" in problem
    assert problem.endswith("[]")
    assert refusal.startswith("ActionError The arguments are sealed with the key")
    assert "pip install 'z4j-agent[seal]'" in refusal


def test_without_a_key_the_library_is_not_loaded() -> None:
    program = (
        "import sys, z4j_agent.plugin_set as p; from z4j_agent.settings import Settings;"
        "p.PluginSet(Settings.from_environment({}), []); print('cryptography' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "False"


def test_a_seal_that_no_fork_could_hand_over_is_left_out_and_the_event_stays() -> None:
    parent_end, child_end = open_pair()
    with parent_end, child_end:
        events: list[bytes] = []
        reader = RelayReader(parent_end, lambda kind, at, data: events.append(data), _fail)
        payload = b'{"exact":false,"args":["' + b"x" * 40_000 + b'"]}'
        event = WireEvent(Kind.RECEIVED, "e", "t", 0, 1, None, None, payload, bytes(MAX_SEALED))
        assert len(payload) + MAX_SEALED > MAX_DATAGRAM
        assert RelayWriter(child_end).send(event)
        assert reader.drain() == 1
    assert b"With its event it exceeds the 100,000 bytes" in events[0]
    assert b"x" * 40_000 in events[0]
    assert len(events[0]) < 45_000


def _fail(*loss: Any) -> None:
    raise AssertionError(loss)


def test_a_plugin_set_without_a_key_has_no_seal() -> None:
    assert PluginSet(settings(""), []).seal is None
    assert PluginSet(settings(NEW.text()), []).seal is not None
