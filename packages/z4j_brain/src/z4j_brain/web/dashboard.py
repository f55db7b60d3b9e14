"""The dashboard's files: one page for every address, and its assets."""

from __future__ import annotations

import gzip
import json
import mimetypes
import re
from pathlib import Path
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from z4j_brain.api import problems
from z4j_brain.web.security import page_policy

STATIC = Path(__file__).parent.parent / "static"
_META = '<meta name="z4j-root" content="'
_BASE = '<base href="/"'
_HASHED = re.compile(r"-[A-Za-z0-9_-]{8}\.\w+$")
_COMPRESSIBLE = {".js", ".css", ".svg", ".json", ".map"}
_FOREVER = "public, max-age=31536000, immutable"
_ONE_HOUR = "public, max-age=3600"
_ABSENT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>z4j</title>
<h1>z4j runs, but this build holds no dashboard</h1>
<p>The API answers under <code>/api/v1</code> as usual.</p>
<p>Install the released package, or build the dashboard from the sources:
<code>npm ci &amp;&amp; npm run build</code> in <code>packages/z4j_brain/dashboard</code>
(or install without <code>Z4J_BUILD_DASHBOARD=0</code>), then start z4j again.</p></html>
"""


class Dashboard:
    """Serves the files that are there when it is made. Nothing outside the folder can be asked."""

    def __init__(self, prefix: str, folder: Path = STATIC) -> None:
        assets = folder / "assets"
        self._files = {
            path.relative_to(assets).as_posix(): path
            for path in assets.rglob("*")
            if path.is_file()
        }
        self._compressed: dict[str, bytes] = {}
        self.is_built = (folder / "index.html").is_file()
        self._page, self._policy = self._read_page(folder, prefix)

    def _read_page(self, folder: Path, prefix: str) -> tuple[str, str]:
        if not self.is_built:
            return _ABSENT, page_policy({})
        page = (folder / "index.html").read_text("utf-8")
        page = page.replace(f'{_META}"', f'{_META}{prefix}"', 1)
        page = page.replace(_BASE, f'<base href="{prefix}/"', 1)
        hashes = folder / "csp.json"
        return page, page_policy(json.loads(hashes.read_text()) if hashes.is_file() else {})

    async def page(self, request: Request) -> Response:
        """Answer any address with the page, which finds out the rest itself."""
        if request.method not in {"GET", "HEAD"}:
            return problems.not_found().response()
        headers = {"Content-Security-Policy": self._policy, "Cache-Control": "no-cache"}
        return HTMLResponse(self._page, 200 if self.is_built else 503, headers)

    async def asset(self, request: Request) -> Response:
        """Answer with one file of `assets`, compressed when that helps and is wanted."""
        name = unquote(request.path_params["name"])
        path = self._files.get(name)
        if path is None:
            return problems.not_found("file").response()
        headers = {"Cache-Control": _FOREVER if _HASHED.search(name) else _ONE_HOUR}
        if path.suffix in _COMPRESSIBLE:
            headers["Vary"] = "Accept-Encoding"
            if "gzip" in request.headers.get("accept-encoding", ""):
                headers["Content-Encoding"] = "gzip"
                return Response(await self._gzip(name, path), 200, headers, _type_of(path))
        content = await run_in_threadpool(path.read_bytes)
        return Response(content, 200, headers, _type_of(path))

    async def _gzip(self, name: str, path: Path) -> bytes:
        if name not in self._compressed:
            content = await run_in_threadpool(lambda: gzip.compress(path.read_bytes(), mtime=0))
            self._compressed[name] = content
        return self._compressed[name]


def _type_of(path: Path) -> str:
    if path.suffix == ".js":
        return "text/javascript"  # the operating system's table may say something else
    return mimetypes.guess_type(path.name)[0] or "application/octet-stream"
