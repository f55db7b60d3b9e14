"""Alembic's steps from one version of the tables to the next; `store/migrate.py` runs them."""
