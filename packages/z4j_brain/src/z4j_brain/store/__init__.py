"""The record: tables, queries by aggregate, migrations, and the two hot paths of ingest."""
