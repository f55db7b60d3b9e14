"""What Alembic runs: our steps, on the connection that `store/migrate.py` hands over."""

from alembic import context

from z4j_brain.store.schema import metadata

attributes = context.config.attributes
context.configure(
    connection=attributes["connection"],
    target_metadata=metadata,
    on_version_apply=attributes.get("on_version_apply"),
)
with context.begin_transaction():
    context.run_migrations()
