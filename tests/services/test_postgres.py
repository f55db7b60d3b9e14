from __future__ import annotations

from services.postgres import Postgres


def test_version_is_18(postgres: Postgres) -> None:
    assert postgres.execute("SHOW server_version").startswith("18.")


def test_databases_are_apart(postgres: Postgres) -> None:
    one, other = postgres.create_database(), postgres.create_database()
    assert one != other
    postgres.execute("CREATE TABLE mark (at int)", one.rpartition("/")[2])
    seen = postgres.execute("SELECT to_regclass('mark') IS NULL", other.rpartition("/")[2])
    assert seen == "t"
    for url in (one, other):
        postgres.drop_database(url)


def test_a_copy_has_what_its_template_has(postgres: Postgres) -> None:
    template = postgres.create_database()
    postgres.execute("CREATE TABLE mark AS SELECT 7 AS at", template.rpartition("/")[2])
    for _ in range(2):
        copy = postgres.create_database(template)
        assert postgres.execute("DELETE FROM mark RETURNING at", copy.rpartition("/")[2]) == "7"
        postgres.drop_database(copy)
    postgres.drop_database(template)


def test_dropped_database_is_gone(postgres: Postgres) -> None:
    url = postgres.create_database()
    postgres.drop_database(url)
    name = url.rpartition("/")[2]
    assert postgres.execute(f"SELECT count(*) FROM pg_database WHERE datname = '{name}'") == "0"


def test_committed_rows_survive_a_crash(own_postgres: Postgres) -> None:
    own_postgres.execute("CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)")
    url = own_postgres.url("postgres")
    own_postgres.stop("immediate")
    assert not own_postgres.is_running
    own_postgres.start()
    assert own_postgres.url("postgres") == url
    assert own_postgres.execute("SELECT n FROM kept") == "7"
    assert own_postgres.execute("SHOW fsync") == "on"
