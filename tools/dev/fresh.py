"""Install the workspace's packages again where what their installation came from has changed.

An editable install follows the sources by itself, but not what was made when it was installed:
the entry points, the version, and the dashboard built into z4j-brain. An environment that
outlives a `git pull` or a `git clean` would silently miss them. `hatch.toml` and the test command
run this inside the environment they are about to use; it does nothing when nothing has changed.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parents[2]
STAMP = Path(sys.prefix, "installed-from.json")
DASHBOARD_SOURCES = ("src", "public", "scripts")


def main() -> int:
    """Return the exit code of the installation; 0 when there is none to make."""
    folders = sorted(_editable_folders())
    state = {str(folder): _digest(folder) for folder in folders}
    known = _stamped()
    if not folders or (_is_whole(folders) and known == state):
        return 0
    if known is None and _is_whole(folders) and _are_older(folders):
        STAMP.write_text(json.dumps(state))
        return 0
    names = ", ".join(folder.name for folder in folders)
    print(f"Installing again, as their sources have changed: {names}", flush=True)
    command = [os.environ.get("HATCH_UV", "uv"), "pip", "install", "--quiet", "--no-deps"]
    options = [each for folder in folders for each in ("--editable", str(folder))]
    done = subprocess.run([*command, *options], check=False)
    if done.returncode == 0:
        STAMP.write_text(json.dumps(state))
    return done.returncode


def _editable_folders() -> list[Path]:
    """Where the packages of this environment that are installed from this clone lie."""
    folders = []
    for distribution in distributions():
        origin = json.loads(distribution.read_text("direct_url.json") or "{}")
        if origin.get("dir_info", {}).get("editable"):
            folders.append(Path(unquote(urlsplit(origin["url"]).path)))
    return [folder for folder in folders if folder.is_relative_to(ROOT)]


def _is_whole(folders: list[Path]) -> bool:
    """False when a dashboard that belongs to one of them is not there."""
    return all(
        (folder / "src" / folder.name / "static/index.html").is_file()
        for folder in folders
        if (folder / "dashboard").is_dir()
    )


def _are_older(folders: list[Path]) -> bool:
    """Tell whether all that was installed lay there as it is when the environment was made."""
    made = Path(sys.prefix, "pyvenv.cfg").stat().st_mtime
    return all(
        path.stat().st_mtime < made for folder in folders for path in _read_by_installation(folder)
    )


def _digest(folder: Path) -> str:
    """One SHA-256 over the files that an installation reads, in name order."""
    digest = hashlib.sha256()
    for path in sorted(_read_by_installation(folder)):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _read_by_installation(folder: Path) -> list[Path]:
    files = [*folder.glob("*.toml"), *folder.glob("*.py")]
    dashboard = folder / "dashboard"
    files += [path for path in dashboard.glob("*") if path.is_file()]
    for name in DASHBOARD_SOURCES:
        files += [path for path in (dashboard / name).rglob("*") if path.is_file()]
    return files


def _stamped() -> object:
    try:
        return json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return None


if __name__ == "__main__":
    sys.exit(main())
