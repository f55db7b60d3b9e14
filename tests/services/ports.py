"""Free loopback ports."""

from __future__ import annotations

import random
import socket

HOST = "127.0.0.1"
# Below 32768, where Linux begins to hand out ports to outgoing connections: a service that
# is stopped and started again finds its port still free.
LOWEST, HIGHEST = 20_000, 32_000


def free_port() -> int:
    """A TCP port on 127.0.0.1, 20000 to 32000, that nobody listens on at this moment.

    On Linux no other process that asks here is given the same one while this process lives:
    between the choice of a port and the start of its service lie seconds.
    """
    for port in random.sample(range(LOWEST, HIGHEST), 200):
        if _is_free(port) and _claim(port):
            return port
    raise OSError(f"200 ports between {LOWEST} and {HIGHEST} on {HOST} were all taken")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _claim(port: int) -> bool:
    """Take the port's name, which the kernel gives back when the process ends, however it does.

    A name in the abstract namespace, since that belongs to the same network as the port. The
    descriptor is never closed: ports that this process has had are not given out again either.
    """
    if not hasattr(socket, "AF_UNIX"):
        return True
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0z4j-tests-port-{port}")
    except FileNotFoundError:  # no abstract names here: it was taken for a path
        claim.close()
        return True
    except OSError:
        claim.close()
        return False
    claim.detach()
    return True
