"""Reverse proxies: Caddy and nginx, with the configuration that a test gives."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.debian import program
from services.ports import HOST
from services.process import ServiceProcess

_NGINX = """daemon off;
pid nginx.pid;
error_log stderr warn;
{user}
events {{}}
http {{
    access_log off;
    {folders}
{servers}
}}
"""
_FOLDERS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
_CADDY = "{{\n\tadmin off\n\tauto_https disable_redirects\n}}\n\n{sites}"


@contextmanager
def running_nginx(servers: str, port: int) -> Iterator[None]:
    """An nginx with these `server` blocks. Raises ServiceMissingError."""
    path = program(("nginx",), "nginx")
    with tempfile.TemporaryDirectory(prefix="z4j-nginx-") as name:
        folder = Path(name)
        user = "user root;" if os.geteuid() == 0 else ""
        folders = "".join(f"{each}_temp_path {each};" for each in _FOLDERS)
        configuration = folder / "nginx.conf"
        configuration.write_text(_NGINX.format(user=user, folders=folders, servers=servers))
        arguments = [path, "-p", name, "-e", "stderr", "-c", str(configuration)]
        with _running(arguments, folder, port):
            yield


@contextmanager
def running_caddy(sites: str, port: int) -> Iterator[None]:
    """A Caddy with these sites, which asks nobody for certificates. Raises ServiceMissingError."""
    path = program(("caddy",), "caddy")
    with tempfile.TemporaryDirectory(prefix="z4j-caddy-") as name:
        folder = Path(name)
        configuration = folder / "Caddyfile"
        configuration.write_text(_CADDY.format(sites=sites))
        arguments = [path, "run", "--config", str(configuration), "--adapter", "caddyfile"]
        own = {"HOME": name, "XDG_DATA_HOME": name, "XDG_CONFIG_HOME": name}
        with _running(arguments, folder, port, own):
            yield


@contextmanager
def _running(
    arguments: list[str], folder: Path, port: int, environment: dict[str, str] | None = None
) -> Iterator[None]:
    own = {"PATH": os.environ["PATH"], **(environment or {})}
    process = ServiceProcess(arguments, folder / "log", cwd=folder, environment=own)
    process.start(lambda: _listens(port))
    try:
        yield
    finally:
        process.stop()


def _listens(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=60).close()
    except OSError:
        return False
    return True
