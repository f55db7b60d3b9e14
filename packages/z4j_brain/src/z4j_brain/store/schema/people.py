"""People, how they sign in, and the projects that they see."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    UniqueConstraint,
)

from z4j_brain.store.schema.collection import id_column, metadata, project_column
from z4j_brain.store.types import Bytes, ByteText, Id, UtcTime

projects = Table(
    "projects",
    metadata,
    id_column(),
    Column("slug", ByteText, nullable=False, unique=True),
    Column("name", ByteText, nullable=False),
    Column("created_at", UtcTime, nullable=False),
)

feeds = Table(
    "feeds",
    metadata,
    Column("project_id", Id, ForeignKey("projects.id"), primary_key=True),
    Column("position", BigInteger, nullable=False, default=0),
)
"""The live feed's offset of a project, raised by every transaction that changes what is shown."""

users = Table(
    "users",
    metadata,
    id_column(),
    Column("email", ByteText, nullable=False, unique=True),
    Column("name", ByteText, nullable=False),
    Column("password_hash", ByteText, nullable=False),
    Column("is_admin", Boolean, nullable=False, default=False),
    Column("created_at", UtcTime, nullable=False),
    Column("disabled_at", UtcTime),
)

memberships = Table(
    "memberships",
    metadata,
    Column("project_id", Id, ForeignKey("projects.id"), primary_key=True),
    Column("user_id", Id, ForeignKey("users.id"), primary_key=True),
    Column("role", ByteText, nullable=False),
)

redaction_rules = Table(
    "redaction_rules",
    metadata,
    Column("project_id", Id, ForeignKey("projects.id"), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("rules", ByteText, nullable=False),
    Column("changed_at", UtcTime, nullable=False),
    Column("changed_by", Id, ForeignKey("users.id")),
)
"""What a project hides beyond the built-in rules, as JSON text."""

sessions = Table(
    "sessions",
    metadata,
    id_column(),
    Column("token_hash", Bytes, nullable=False, unique=True),
    Column("user_id", Id, ForeignKey("users.id"), nullable=False, index=True),
    Column("created_at", UtcTime, nullable=False),
    Column("seen_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("address", ByteText),
    Column("user_agent", ByteText),
)

one_time_tokens = Table(
    "one_time_tokens",
    metadata,
    Column("token_hash", Bytes, primary_key=True),
    Column("purpose", ByteText, nullable=False),
    Column("user_id", Id, ForeignKey("users.id")),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
)
"""First-run setup, one-time sign-in links, second steps of a sign-in, and sign-ins that are at the
identity provider; a row is deleted by the use of its token. Of a passkey's challenge the row says
that it was used."""

totp_secrets = Table(
    "totp_secrets",
    metadata,
    Column("user_id", Id, ForeignKey("users.id"), primary_key=True),
    Column("sealed", Bytes, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("confirmed_at", UtcTime),
    Column("last_step", BigInteger, nullable=False),
    Column("failures", Integer, nullable=False),
)
"""Authenticator apps: encrypted secrets (`auth/totp_secrets.py`), one a person."""

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("user_id", Id, ForeignKey("users.id"), primary_key=True),
    Column("code_hash", Bytes, primary_key=True),
    Column("created_at", UtcTime, nullable=False),
)
"""Hashes; a row is deleted by the use of its code."""

passkeys = Table(
    "passkeys",
    metadata,
    id_column(),
    Column("user_id", Id, ForeignKey("users.id"), nullable=False, index=True),
    Column("credential_id", Bytes, nullable=False, unique=True),
    Column("public_key", Bytes, nullable=False),
    Column("rp_id", ByteText, nullable=False),
    Column("name", ByteText, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("last_used_at", UtcTime),
)

oidc_identities = Table(
    "oidc_identities",
    metadata,
    Column("issuer", ByteText, primary_key=True),
    Column("subject", ByteText, primary_key=True),
    Column("user_id", Id, ForeignKey("users.id"), nullable=False),
    Column("linked_at", UtcTime, nullable=False),
    Column("used_at", UtcTime, nullable=False),
    UniqueConstraint("user_id", "issuer"),
)
"""By whom of an identity provider an account is used; one identity of an issuer each."""

invitations = Table(
    "invitations",
    metadata,
    id_column(),
    project_column(),
    Column("email", ByteText, nullable=False),
    Column("role", ByteText, nullable=False),
    Column("token_hash", Bytes, nullable=False, unique=True),
    Column("invited_by", Id, ForeignKey("users.id"), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    UniqueConstraint("project_id", "email"),
    Index(None, "project_id", "expires_at"),
)
"""Open invitations; a row is deleted by the use of its token. One for each e-mail address."""

api_keys = Table(
    "api_keys",
    metadata,
    id_column(),
    Column("user_id", Id, ForeignKey("users.id"), nullable=False, index=True),
    Column("project_id", Id, ForeignKey("projects.id"), index=True),
    Column("name", ByteText, nullable=False),
    Column("secret_hash", Bytes, nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("networks", JSON, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime),
    Column("last_used_at", UtcTime),
    Column("last_address", ByteText),
    Column("revoked_at", UtcTime),
)
"""A key never reaches further than its owner does at the time of its use. Without a project it
works in all of its owner's; `networks` are CIDR texts, none of them is "from anywhere"."""

sign_in_failures = Table(
    "sign_in_failures",
    metadata,
    Column("subject", Bytes, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", UtcTime, nullable=False),
)
"""Attempts to sign in, by keyed hashes of e-mail and address; rows live for an hour."""

rate_limits = Table(
    "rate_limits",
    metadata,
    Column("subject", Bytes, primary_key=True),
    Column("full_at", UtcTime, nullable=False),
)
"""Allowances in use, by keyed hashes of limit and subject; from `full_at` on a row says nothing."""
