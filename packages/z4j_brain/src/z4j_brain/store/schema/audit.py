"""The audit log: a chain of entries for each project."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, PrimaryKeyConstraint, Table

from z4j_brain.store.schema.collection import metadata
from z4j_brain.store.types import Bytes, ByteText, Id, UtcTime

audit = Table(
    "audit",
    metadata,
    Column("chain", Id, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("actor_kind", ByteText, nullable=False),
    Column("actor_id", ByteText),
    Column("actor_name", ByteText, nullable=False),
    Column("action", ByteText, nullable=False),
    Column("object_kind", ByteText, nullable=False),
    Column("object_id", ByteText),
    Column("object_name", ByteText, nullable=False),
    Column("before", ByteText),
    Column("after", ByteText),
    Column("address", ByteText),
    Column("request_id", ByteText),
    Column("key_id", ByteText, nullable=False),
    Column("previous", Bytes, nullable=False),
    Column("mac", Bytes, nullable=False),
    PrimaryKeyConstraint("chain", "number"),
    Index(None, "chain", "actor_id", "number"),
    Index(None, "chain", "action", "number"),
    Index(None, "chain", "object_id", "number"),
    Index(None, "chain", "at", "number"),
)
"""Who did what: append only, one chain for each project and one, of the nil UUID, for the instance.
Ids and names are text, and nothing refers to other tables: a row outlives what it tells of.
`audit/encoding.py` says what `mac` covers."""

audit_heads = Table(
    "audit_heads",
    metadata,
    Column("chain", Id, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("last", Bytes, nullable=False),
    Column("key_id", ByteText, nullable=False),
    Column("mac", Bytes, nullable=False),
)
"""The end of each chain, under a key: its last number and that row's MAC. So a cut is seen."""
