"""The tables of docs/permissions.md, made from the policy and from the declared routes.

`python -m z4j_brain.api.permission_tables docs/permissions.md` writes them anew between the page's
marks; a test fails when the page is stale.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from z4j_brain.api.route import PUBLIC, SIGNED_IN, Route
from z4j_brain.auth.policy import INSTANCE, TABLE, Role

ROLES = (Role.VIEWER, Role.AUDITOR, Role.OPERATOR, Role.ADMIN)
_INSTANCE_ADMIN = "instance admin"
_BLOCK = re.compile(r"(<!-- (permissions|addresses) -->\n).*?(<!-- end -->)", re.DOTALL)


def permission_table() -> str:
    """Return permission × role as Markdown."""
    heads = ["permission", *ROLES, _INSTANCE_ADMIN]
    rows = [[f"`{name}`", *_marks(roles)] for name, roles in TABLE.items()]
    rows += [[f"`{name}`", *_marks(frozenset())] for name in sorted(INSTANCE)]
    return _table(heads, rows)


def address_table(routes: Sequence[Route]) -> str:
    """Return address × role as Markdown; a permission that depends on the body follows a plus."""
    heads = ["address", "permission", "nobody", "anybody", *ROLES, _INSTANCE_ADMIN]
    return _table(heads, [_row(one) for one in sorted(routes, key=lambda o: (o.path, o.method))])


def renewed(page: str, routes: Sequence[Route]) -> str:
    """Return the page with its tables made anew."""
    made = {"permissions": permission_table(), "addresses": address_table(routes)}
    return _BLOCK.sub(lambda found: found[1] + made[found[2]] + found[3], page)


def _row(one: Route) -> list[str]:
    address = f"`{one.method} {one.path}`"
    if one.permission == PUBLIC:
        return [address, "public", *["yes"] * (len(ROLES) + 3)]
    if one.permission == SIGNED_IN:
        return [address, "signed in", "", *["yes"] * (len(ROLES) + 2)]
    needed = f"`{one.permission}`" + " + of the action" * bool(one.further)
    return [address, needed, "", "", *_marks(TABLE.get(one.permission, frozenset()))]


def _marks(roles: frozenset[Role]) -> list[str]:
    return [*("yes" if role in roles else "" for role in ROLES), "yes"]


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(
        "|" + "|".join(f" {cell} " if cell else " " for cell in line) + "|\n" for line in lines
    )


def _main(path: Path) -> None:
    from z4j_brain.api.table import all_routes

    path.write_text(renewed(path.read_text(), all_routes()))


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
