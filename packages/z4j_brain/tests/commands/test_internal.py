"""Actions that only the server asks for: never offered to people, whatever an agent announces."""

from __future__ import annotations

from typing import Any

import pytest

from z4j_brain.commands.catalogue import Catalogue
from z4j_brain.commands.request import CommandError
from z4j_brain.store import actions
from z4j_core.frames import ActionInfo

PROBE = ActionInfo("probe", "engine", params_schema='{"type":"object"}', internal=True)


@pytest.fixture
def prober(house: Any) -> Any:
    """A worker that can be probed."""
    return house.add_worker("w2", actions=[PROBE])


def test_people_are_not_offered_it_and_cannot_ask_for_it(house: Any, prober: Any, run: Any) -> None:
    with house.database.read() as connection:
        catalogue = Catalogue(actions.online_workers(connection, house.project_id))
    assert "probe" not in [offer.info.name for offer in catalogue.offered()]
    assert "probe" not in [absence.name for absence in catalogue.absent()]
    with pytest.raises(CommandError, match="Only the server itself asks for “probe”"):
        run(house.service.create(house.request("probe", task_id=None)))
    assert house.registry.take() == []


def test_the_server_asks_and_nobody_stands_as_who_did(house: Any, prober: Any, run: Any) -> None:
    command = run(house.service.create(house.request("probe", task_id=None, user_id=None)))
    assert (command.created_by, command.sent_to, command.state) == (None, prober, "sent")
    assert [frame.action for frame in house.registry.take()] == ["probe"]
    house.change_worker(prober, online=False)
    house.now += 61_000_000
    run(house.service.sweep())
    assert house.find(command.id).state == "expired", "also when its worker never comes back"
