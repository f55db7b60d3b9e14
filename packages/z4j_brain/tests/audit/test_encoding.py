"""The canonical encoding: its published vector, and that no two rows share one."""

from __future__ import annotations

import uuid

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from z4j_brain.audit.encoding import START, head_of, is_genuine, join, key_id, row_mac
from z4j_brain.keys import Keys
from z4j_brain.store.audit import INSTANCE, AuditRow

PROJECT = uuid.UUID("01890a5d-ac96-774b-bcce-b302099a8057")
KEYS = Keys(b"0123456789abcdef0123456789abcdef", b"s" * 40)
ROW = AuditRow(
    chain=PROJECT,
    number=1,
    at=1_700_000_000_000_001,
    actor_kind="person",
    actor_id="01890a5d-ac96-774b-bcce-b302099a8058",
    actor_name="ada@example.org",
    action="agent.created",
    object_kind="agent",
    object_id="01890a5d-ac96-774b-bcce-b302099a8059",
    object_name="billing – workers",
    before=None,
    after='{"a":1}',
    address="192.0.2.7",
    request_id=None,
    key_id="759e252dd7633632",
    previous=START,
    mac=b"",
)


def test_the_vector_of_docs_audit_md() -> None:
    key = KEYS.audit_key(PROJECT)
    assert key.hex() == "2e9ebd46f3ba61c6bfa3619f214eda63291ea46f30e8ae2099420391e2d33754"
    assert key_id(key) == ROW.key_id
    mac = row_mac(key, ROW)
    assert mac.hex() == "f6ec0d749eaedf50cc0d5c7997be08c069f9bfb3cda637aee24520557db37fbe"
    head = head_of(key, PROJECT, 1, mac)
    assert head.mac.hex() == "5711e0314aacd052f9e19354272be0213893b4283049b2e5e001f0d9b84b32c2"
    assert is_genuine(key, head)


def test_every_chain_has_a_key_of_its_own() -> None:
    keys = {KEYS.audit_key(chain) for chain in (INSTANCE, PROJECT, uuid.UUID(int=1))}
    assert len(keys | {KEYS.checkpoint_key(), KEYS.project_secret(PROJECT)}) == 5


parts = st.lists(st.none() | st.binary(max_size=6), max_size=5)


@given(parts, parts)
def test_two_lists_of_parts_never_have_one_encoding(
    one: list[bytes | None], other: list[bytes | None]
) -> None:
    assert (join(*one) == join(*other)) == (one == other)


@pytest.mark.parametrize("name", [name for name in AuditRow.__struct_fields__ if name != "mac"])
def test_every_column_is_covered(name: str) -> None:
    value = getattr(ROW, name)
    other = {str: "x", int: 5, bytes: b"y" * 32, uuid.UUID: INSTANCE, type(None): ""}[type(value)]
    changed = msgspec.structs.replace(ROW, **{name: other})
    assert row_mac(b"k", changed) != row_mac(b"k", ROW)
