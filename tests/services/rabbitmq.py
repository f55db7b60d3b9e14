"""A RabbitMQ server of the tests' own, with an Erlang port mapper of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.debian import program
from services.folder import own_folder
from services.ports import HOST, free_port
from services.process import ServiceProcess

PACKAGE = "rabbitmq-server"
REAL = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
"""What Debian's wrapper of the same name runs, as another user and with the system's folders."""
VHOSTS = 20
"""Each costs a quarter of a second when the server starts, and a second later on."""
_HEADER = b"AMQP\x00\x00\x09\x01"
_CONFIGURATION = """\
load_definitions = {definitions}
disk_free_limit.absolute = 1MB
"""


class RabbitMQ:
    """One server that keeps its data in ``folder``; a restart keeps the port and what is durable.

    ``vhosts`` virtual hosts, 1 or more, are made with its first start.
    """

    def __init__(self, folder: Path, vhosts: int = VHOSTS) -> None:
        """Find the programs. Raises ServiceMissingError when they are not to be had."""
        self.port = free_port()
        names = [f"test-{number}" for number in range(vhosts)]
        self._vhosts = iter(names)
        self._mapper_port = free_port()
        self._environment = _environment(folder, self.port, self._mapper_port)
        (folder / "definitions.json").write_text(json.dumps(_definitions(names)))
        self._mapper = ServiceProcess(
            [program(("epmd",), PACKAGE), "-port", str(self._mapper_port), "-address", HOST],
            folder / "epmd.log",
            cwd=folder,
        )
        self._server = ServiceProcess(
            [_server()], folder / "server.log", cwd=folder, environment=self._environment
        )

    def create_vhost(self) -> str:
        """Return the URL of a virtual host that nobody has used yet."""
        name = next(self._vhosts, None)
        if name is None:
            raise LookupError("All virtual hosts of this server are used: share one, or make more.")
        return f"amqp://guest:guest@{HOST}:{self.port}/{name}"

    def start(self) -> None:
        """Start on the same port and wait until the server answers."""
        if not self._mapper.is_running:
            self._mapper.start(lambda: _answers(self._mapper_port, b"\x00\x01n"))
        self._server.start(lambda: _answers(self.port, _HEADER))

    def cut(self, url: str) -> None:
        """Close all connections to the virtual host of this URL; takes about two seconds."""
        name = url.rpartition("/")[2]
        program = str(Path(_server()).with_name("rabbitmqctl"))
        command = [program, "close_all_connections", "--vhost", name, "cut by a test"]
        subprocess.run(command, env=self._environment, check=True, capture_output=True)

    def stop(self) -> None:
        """Kill the server; what was confirmed and is durable comes again with the next start."""
        self._server.stop(signal.SIGKILL)

    def close(self) -> None:
        """Kill the server and its port mapper."""
        self.stop()
        self._mapper.stop(signal.SIGKILL)


@contextmanager
def running_rabbitmq(vhosts: int = VHOSTS) -> Iterator[RabbitMQ]:
    """A started server in a temporary folder, gone afterwards. Raises ServiceMissingError."""
    with own_folder("z4j-rabbitmq-", in_memory=True) as folder:
        server = RabbitMQ(folder, vhosts)
        try:
            server.start()
            yield server
        finally:
            server.close()


def _server() -> str:
    if REAL.exists():  # where the wrapper may be on nobody's PATH but root's
        return str(REAL)
    found = program((PACKAGE,), PACKAGE)
    return str(REAL) if REAL.exists() else found


def _environment(folder: Path, port: int, mapper: int) -> dict[str, str]:
    """Everything that would be the system's: names, ports, folders, the cookie in HOME."""
    definitions = folder / "definitions.json"
    (folder / "rabbitmq.conf").write_text(_CONFIGURATION.format(definitions=definitions))
    (folder / "enabled_plugins").write_text("[].\n")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RABBITMQ_")}
    return {
        **kept,
        "HOME": str(folder),
        "ERL_EPMD_ADDRESS": HOST,
        "ERL_EPMD_PORT": str(mapper),
        # The shell becomes the server, so that a signal for the one reaches the other.
        "RUNNING_UNDER_SYSTEMD": "true",
        "RABBITMQ_CONF_ENV_FILE": str(folder / "rabbitmq-env.conf"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_LOG_BASE": str(folder),
        "RABBITMQ_MNESIA_BASE": str(folder),
        "RABBITMQ_NODENAME": f"z4j-{port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": HOST,
        "RABBITMQ_NODE_PORT": str(port),
    }


def _definitions(vhosts: list[str]) -> dict[str, list[dict[str, object]]]:
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    return {
        "users": [{"name": "guest", "password": "guest", "tags": "administrator"}],
        "vhosts": [{"name": name} for name in vhosts],
        "permissions": [{"user": "guest", "vhost": name, **everything} for name in vhosts],
    }


def _answers(port: int, question: bytes) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=60) as connection:
            connection.sendall(question)
            return bool(connection.recv(1))
    except OSError:
        return False
