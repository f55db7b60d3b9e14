"""A z4j behind a real reverse proxy that is set up as `docs/reverse-proxy.md` says."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

import httpx

from server import EMAIL, PASSWORD, PROJECT, Server
from services.openssl import Certificate, make_certificate
from services.ports import free_port
from services.proxies import running_caddy, running_nginx

PAGE = Path(__file__).parents[2] / "docs" / "reverse-proxy.md"
NAME = "z4j.example.org"
CLIENT = "127.0.0.2"
"""Where clients of the tests come from: an address that is not the proxy's own."""


@dataclass
class Front:
    """What is outside of the proxy."""

    server: Server
    port: int
    prefix: str
    certificate: Certificate

    @property
    def origin(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def url(self) -> str:
        return self.origin + self.prefix

    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.certificate.certificate))

    def client(self, **headers: str) -> httpx.Client:
        """Return a client without cookies that comes from `CLIENT`."""
        transport = httpx.HTTPTransport(verify=self.tls(), local_address=CLIENT)
        own = {"Origin": self.origin, **headers}
        url = f"{self.url}/api/v1"
        return httpx.Client(base_url=url, headers=own, transport=transport, timeout=60)

    def set_up(self, client: httpx.Client) -> None:
        """Make the first admin and the first project, and sign the client in."""
        form = {"email": EMAIL, "name": "Ada", "password": PASSWORD, "project_name": PROJECT}
        token = self.server.setup_token()
        answer = client.post("/setup", json={"token": token, **form})
        assert answer.status_code == 201, answer.text
        client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]

    def raw(self, target: str, host: str | None = None) -> tuple[int, dict[str, str], bytes]:
        """GET exactly this request target; return status, headers and body."""
        connection = HTTPSConnection("localhost", self.port, timeout=60, context=self.tls())
        try:
            connection.putrequest("GET", target, skip_host=True)
            connection.putheader("Host", host or f"localhost:{self.port}")
            connection.endheaders()
            answer = connection.getresponse()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, headers, answer.read()
        finally:
            connection.close()


@contextmanager
def running_front(kind: str, prefix: str, folder: Path, database_url: str) -> Iterator[Front]:
    """Start z4j and a proxy before it; `kind` is `caddy` or `nginx`. Raises ServiceMissingError."""
    front = Front(
        Server(folder / "home", database_url), free_port(), prefix, make_certificate(folder)
    )
    front.server.environment |= {"Z4J_ALLOWED_HOSTS": "localhost", "Z4J_ROOT_PATH": prefix}
    running: Any = running_caddy if kind == "caddy" else running_nginx
    with running(_sample(kind, front), front.port):
        front.server.start()
        try:
            yield front
        finally:
            front.server.stop()


def _sample(kind: str, front: Front) -> str:
    """Return the sample of the page with the test's name, ports and files in it."""
    language = "caddyfile" if kind == "caddy" else "nginx"
    samples = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    text = samples[1 if front.prefix else 0]
    files = front.certificate
    for written, own in {
        "127.0.0.1:7700": f"127.0.0.1:{front.server.port}",
        f"/etc/ssl/{NAME}.pem": str(files.certificate),
        f"/etc/ssl/{NAME}.key": str(files.key),
        "listen 443 ssl": f"listen 127.0.0.1:{front.port} ssl",
        f"{NAME} {{": f"localhost:{front.port} {{\n\tbind 127.0.0.1\n\ttls {files[0]} {files[1]}",
        NAME: "localhost",
    }.items():
        text = text.replace(written, own)
    return str(text)
