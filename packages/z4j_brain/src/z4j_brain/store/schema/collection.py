"""The collection of all tables, and the columns that most of them have."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, MetaData

from z4j_brain.store.types import Id

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def id_column() -> Column:  # type: ignore[type-arg]
    """Return the key of a table."""
    return Column("id", Id, primary_key=True)


def project_column() -> Column:  # type: ignore[type-arg]
    """Return the reference to the project that a row belongs to."""
    return Column("project_id", Id, ForeignKey("projects.id"), nullable=False)
