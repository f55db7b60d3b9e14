"""Write anew what pages of docs/ say about the code, between their marks.

`python tools/docs/write.py` writes; `--check` writes nothing and fails when a page is out of date.
Pages may be named; else it is every page of docs/. The plugins are asked themselves, without any
server.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from page import ROOT, renewed


def main() -> int:
    """Return 1 if a page is out of date and was not to be written."""
    parser = argparse.ArgumentParser(prog="python tools/docs/write.py", description=__doc__)
    parser.add_argument("pages", nargs="*", type=Path)
    parser.add_argument("--check", action="store_true", help="write nothing, say what is stale")
    given = parser.parse_args()
    stale = []
    for path in given.pages or sorted(ROOT.glob("docs/*.md")):
        page = path.read_text()
        if (made := renewed(page)) != page:
            stale.append(path.name)
            if not given.check:
                path.write_text(made)
    if stale:
        print(f"{'out of date' if given.check else 'written'}: {', '.join(stale)}")
    if stale and given.check:
        print("Run `hatch run suite:docs`, which is `python tools/docs/write.py`.")
    return int(given.check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
