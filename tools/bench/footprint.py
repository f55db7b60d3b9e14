"""What an installation of z4j costs: `python tools/bench/footprint.py`.

Builds the wheels, installs `z4j` into a fresh virtual environment, and prints against its limit:
the number of distributions, the size on disk, the time until `z4j serve` answers on a new
database, and the resident memory of the idle server. Takes about two minutes; needs `uv`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from figures import Figure, add_option, tell  # noqa: E402
from machine import resident_mib  # noqa: E402

from services.ports import free_port  # noqa: E402
from services.process import guarded  # noqa: E402

PACKAGES = ("z4j_core", "z4j_brain", "z4j")
IDLE_S = 5.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure what an installation costs.")
    add_option(parser)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        python = install(folder)
        figures = [*size(python), *serve(python, folder)]
    tell("an installation of z4j", figures, options.json)


def install(folder: Path) -> Path:
    """Build and install; return the Python of the environment."""
    wheels = folder / "wheels"
    for package in PACKAGES:
        run("uv", "build", "--wheel", "-q", "-o", str(wheels), str(ROOT / "packages" / package))
    environment = folder / "environment"
    run("uv", "venv", "-q", "--python", sys.executable, str(environment))
    python = environment / "bin" / "python"
    install_wheels = ("uv", "pip", "install", "-q", "--compile-bytecode", "--python", str(python))
    run(*install_wheels, *map(str, wheels.glob("*.whl")))  # compiled, as pip does
    return python


def size(python: Path) -> list[Figure]:
    """Count the distributions and the bytes of site-packages."""
    [site] = python.parents[1].glob("lib/python*/site-packages")
    total = sum(file.stat().st_size for file in site.rglob("*") if file.is_file())
    count = len(list(site.glob("*.dist-info")))
    return [Figure("footprint_distributions", count), Figure("footprint_disk", total / 2**20)]


def serve(python: Path, folder: Path) -> list[Figure]:
    """Start the server on a new database; return its start time and idle memory."""
    port = free_port()
    home = folder / "home"
    begin = time.perf_counter()
    server = subprocess.Popen(
        guarded([str(python.parent / "z4j"), "serve", "--port", str(port)]),
        env={**os.environ, "Z4J_HOME": str(home), "PYTHONDONTWRITEBYTECODE": ""},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/readyz", server)
        answered = time.perf_counter() - begin
        time.sleep(IDLE_S)
        resident = resident_mib(server.pid)
    finally:
        server.terminate()
        server.wait(10)
        shutil.rmtree(home, ignore_errors=True)
    return [Figure("footprint_start", answered), Figure("footprint_resident", resident)]


def wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    """Ask until the server answers; give up after 30 seconds."""
    for _ in range(3000):
        if server.poll() is not None:
            raise SystemExit(f"the server ended with {server.returncode}")
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.01)
    raise SystemExit("the server does not answer")


def run(*command: str) -> None:
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
