"""A certificate that nobody has signed, for servers of the tests that talk TLS."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import NamedTuple

from services.debian import program


class Certificate(NamedTuple):
    """Files in PEM; whoever trusts the certificate trusts nothing else by it."""

    certificate: Path
    key: Path


def make_certificate(folder: Path) -> Certificate:
    """Make one for localhost, valid for two days. Raises ServiceMissingError without openssl."""
    made = Certificate(folder / "localhost.pem", folder / "localhost.key")
    request = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    files = ["-nodes", "-days", "2", "-keyout", str(made.key), "-out", str(made.certificate)]
    subprocess.run(
        [program(("openssl",), "openssl"), *request, *names, *files],
        check=True,
        capture_output=True,
        timeout=120,
    )
    return made
