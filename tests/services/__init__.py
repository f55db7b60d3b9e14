"""The real services that tests run against: PostgreSQL, Redis and Chromium.

Each module starts its service on a free loopback port and stops it again. Only the
standard library is imported here, so a package's own tests can use the fixtures with
nothing installed but pytest. The fixtures themselves are in ``services.fixtures``.
"""
