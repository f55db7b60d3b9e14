"""Programs that come from the distribution."""

from __future__ import annotations

import os
import shutil
import subprocess

from services.missing import ServiceMissingError

LOCK_TIMEOUT_S = 300


def program(names: tuple[str, ...], package: str) -> str:
    """The path of the first of ``names`` on PATH; root on Debian gets it installed.

    Raises ServiceMissingError, which says what to install.
    """
    if found := _first_on_path(names):
        return found
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise ServiceMissingError(
            f"None of {', '.join(names)} is on PATH. Install it, on Debian and Ubuntu with "
            f"`sudo apt-get install {package}`, and run the tests again."
        )
    _install(package)
    if found := _first_on_path(names):
        return found
    raise ServiceMissingError(f"The Debian package {package} holds none of {', '.join(names)}.")


def _first_on_path(names: tuple[str, ...]) -> str | None:
    return next((path for name in names if (path := shutil.which(name))), None)


def _install(package: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    apt = ["apt-get", "-q", "-y", "-o", f"DPkg::Lock::Timeout={LOCK_TIMEOUT_S}"]
    for arguments in (["update"], ["install", "--no-install-recommends", package]):
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
