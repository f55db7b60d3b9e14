"""Which worker carries a command out."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from uuid import UUID

from z4j_brain.commands.catalogue import Catalogue, Offer
from z4j_brain.commands.request import CommandError, Refusal
from z4j_brain.store.actions import OnlineWorker
from z4j_core.frames import ActionInfo


def choose_worker(
    catalogue: Catalogue,
    engine: str,
    action: str,
    *,
    named: str | None,
    preferred: str | None,
    linked: AbstractSet[UUID],
    key_id: str | None = None,
    store: str | None = None,
) -> tuple[OnlineWorker, ActionInfo]:
    """Return the worker and the action as that very worker announced it.

    `named` (a worker's id or its row's id) is obeyed; otherwise a worker with a link of this
    process goes before others, then one that has the key `key_id` of what is sealed, then the
    `preferred` one, then the role ``worker``, then the last
    heard. Raises CommandError with the reason when there is none.
    """
    offer = catalogue.find(engine, action, store)
    if offer is None:
        raise CommandError(Refusal.CONFLICT, catalogue.reason_for_absence(engine, action, store))
    candidates = offer.workers if named is None else _named(offer, named)
    chosen = max(
        candidates,
        key=lambda worker: (
            worker.id in linked,
            key_id is not None and worker.has_key(engine, key_id),
            worker.worker_id == preferred,
            worker.role == "worker",
            worker.last_seen,
        ),
    )
    return chosen, _announced(chosen, engine, store, action)


def _named(offer: Offer, named: str) -> list[OnlineWorker]:
    found = [one for one in offer.workers if named in (one.worker_id, str(one.id))]
    if not found:
        raise CommandError(
            Refusal.CONFLICT,
            f"The worker {named} is not online, or does not offer “{offer.info.name}”.",
        )
    return found


def _announced(worker: OnlineWorker, engine: str, store: str | None, action: str) -> ActionInfo:
    announced: list[ActionInfo] = []
    if store is None:
        announced += [one for info in worker.engines if info.name == engine for one in info.actions]
    for scheduler in worker.schedulers:
        if (scheduler.name, scheduler.store) == (engine, store):
            announced += scheduler.actions
    for offered in announced:
        if offered.name == action and offered.absent is None:
            return offered
    raise LookupError(f"{worker.worker_id} does not offer {action}")
