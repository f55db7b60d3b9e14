"""Programs that come from the distribution."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from services.missing import ServiceMissingError

LOCK_TIMEOUT_S = 300
POLICY = Path("/usr/sbin/policy-rc.d")
"""Asked by Debian's packages before they start their service; 101 says no (policy-rc.d(8))."""


def program(names: tuple[str, ...], *packages: str) -> str:
    """The path of the first of ``names`` on PATH; root on Debian gets it installed.

    It comes from the first of ``packages`` that the distribution has; the last one is the best
    known. Raises ServiceMissingError, which says what to install.
    """
    if found := _first_on_path(names):
        return found
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise ServiceMissingError(
            f"None of {', '.join(names)} is on PATH. Install it, on Debian and Ubuntu with "
            f"`sudo apt-get install {packages[-1]}`, and run the tests again."
        )
    _install_one_of(packages)
    if found := _first_on_path(names):
        return found
    raise ServiceMissingError(f"{' and '.join(packages)} hold none of {', '.join(names)}.")


def _first_on_path(names: tuple[str, ...]) -> str | None:
    return next((path for name in names if (path := shutil.which(name))), None)


def _install_one_of(packages: tuple[str, ...]) -> None:
    *others, last = packages
    for package in others:
        with contextlib.suppress(ServiceMissingError):
            return _install(package)
    return _install(last)


def _install(package: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    apt = ["apt-get", "-q", "-y", "-o", f"DPkg::Lock::Timeout={LOCK_TIMEOUT_S}"]
    for arguments in (["update"], ["install", "--no-install-recommends", package]):
        with _no_services():
            done = subprocess.run(
                [*apt, *arguments],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
        if done.returncode:
            last = "\n".join(done.stdout.splitlines()[-10:])
            raise ServiceMissingError(
                f"`apt-get {' '.join(arguments)}` failed. Run it by hand, then run the tests "
                f"again. Its last lines:\n{last}"
            )


@contextlib.contextmanager
def _no_services() -> Iterator[None]:
    """Keep a new package from starting its service, unless the machine has a policy already."""
    try:
        with POLICY.open("x") as policy:
            policy.write("#!/bin/sh\nexit 101\n")
    except OSError:
        yield
        return
    try:
        POLICY.chmod(0o755)
        yield
    finally:
        POLICY.unlink(missing_ok=True)
