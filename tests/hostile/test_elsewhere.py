"""The ids of one project below the address of another: nothing is there, and nothing changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hostile.api import _known
from hostile.house import House, running, worker
from z4j_brain.api.table import all_routes

MEANT: dict[str, Any] = {
    "rotate_token": {"overlap_hours": 0},
    "decide_issue": {"decision": "resolved"},
    "take_bulk_step": {"step": "abort"},
    "change_member_role": {"role": "admin"},
}
"""Bodies of routes that take one; what is not found must not depend on a wrong body."""


def _call(house: House, who: str, method: str, path: str, body: Any) -> int:
    caller = house.callers[who]
    answer = house.http.request(
        method,
        f"{house.url}/api/v1{path}",
        json=body,
        headers=caller.headers,
        cookies=caller.cookies,
        timeout=60,
    )
    return answer.status_code


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_ids_of_another_project_are_not_found(record_url: str, tmp_path: Path) -> None:
    with running(record_url, tmp_path / "home") as house, worker(house):
        tried = 0
        for one in all_routes():
            parts = dict.fromkeys(one.path_types, "7")
            if "{project}" not in one.path or not parts:
                continue
            parts |= _known(house, one.name, parts)
            body = MEANT.get(one.name) if one.body_type is not None else None
            assert (body is None) == (one.body_type is None), f"give a body for {one.name}"
            there = one.path.format(project="annex", **parts)
            assert _call(house, "instance admin", one.method, there, body) == 404, there
            here = one.path.format(project="shop", **parts)
            assert _call(house, "instance admin", one.method, here, body) < 300, here
            tried += 1
        assert tried >= 15
        retry = {"engine": "lamp", "action": "retry", "params": {}, "target": {"task_id": "t5"}}
        path = "/projects/{}/commands"
        elsewhere = _call(house, "instance admin", "POST", path.format("annex"), retry)
        assert elsewhere == 422
        assert _call(house, "instance admin", "POST", path.format("shop"), retry) == 202
