"""The two middlewares of a broker, and their places in its list.

Hooks that come before something run in the order of the list, those that come after it in the
opposite order. `Late` stands first: it hears of an end when Retries has decided and TimeLimit can
no longer interrupt. `Early` stands last: it hears of a start that nobody will skip any more, and
of an end before Retries does.
"""

from __future__ import annotations

from typing import Any

from dramatiq.middleware import Middleware, SkipMessage

from z4j_dramatiq.capture import Capture
from z4j_dramatiq.guard import complain, guarded
from z4j_dramatiq.interrupt import Terminated


class Late(Middleware):
    """The first in the list."""

    def __init__(self, capture: Capture) -> None:
        self.capture = capture

    @guarded
    def before_enqueue(self, broker: Any, message: Any, delay: Any) -> None:
        self.capture.stamp(message, delay)

    @guarded
    def after_enqueue(self, broker: Any, message: Any, delay: Any) -> None:
        self.capture.published(broker, message, delay)

    @guarded
    def before_delay_message(self, broker: Any, message: Any) -> None:
        self.capture.received(broker, message)

    def before_process_message(self, broker: Any, message: Any) -> None:
        try:
            is_refused = self.capture.is_refused(broker, message)
        except Exception:  # noqa: BLE001 - the host's task must go on
            complain("Late.before_process_message")
            return
        if is_refused:
            raise SkipMessage("cancelled through z4j")

    @guarded
    def after_process_message(
        self,
        broker: Any,
        message: Any,
        *,
        result: Any = None,
        exception: BaseException | None = None,
    ) -> None:
        self.capture.ended(broker, message, result, exception)

    @guarded
    def after_skip_message(self, broker: Any, message: Any) -> None:
        self.capture.skipped(broker, message)

    @guarded
    def after_nack(self, broker: Any, message: Any) -> None:
        self.capture.nacked(broker, message)

    @guarded
    def before_worker_boot(self, broker: Any, worker: Any) -> None:
        place(broker, self.capture)

    @guarded
    def after_worker_boot(self, broker: Any, worker: Any) -> None:
        self.capture.process.on_worker_boot(worker)

    @guarded
    def after_worker_shutdown(self, broker: Any, worker: Any) -> None:
        self.capture.process.on_worker_shutdown(worker)


class Early(Middleware):
    """The last in the list."""

    def __init__(self, capture: Capture) -> None:
        self.capture = capture

    @guarded
    def after_declare_actor(self, broker: Any, actor: Any) -> None:
        self.capture.running.watch(actor)

    @guarded
    def before_process_message(self, broker: Any, message: Any) -> None:
        self.capture.begun(broker, message)

    @guarded
    def after_process_message(
        self,
        broker: Any,
        message: Any,
        *,
        result: Any = None,
        exception: BaseException | None = None,
    ) -> None:
        self.capture.left(message)
        if isinstance(exception, Terminated):
            keep_from_retries(broker, message)


def keep_from_retries(broker: Any, message: Any) -> None:
    """Have Retries give a terminated message up; it decides by `retry_when` where there is one."""
    actor = broker.actors.get(message.actor_name)
    decides = getattr(_retries(broker), "retry_when", None)
    if actor is not None and actor.options.get("retry_when", decides) is not None:
        message.options["throws"] = Terminated
    else:
        message.options["max_retries"] = 0


def _retries(broker: Any) -> Any:
    from dramatiq.middleware import Retries

    return next((one for one in broker.middleware if isinstance(one, Retries)), None)


def place(broker: Any, capture: Capture) -> None:
    """Put our middlewares into a broker, or back to their places if others came after them.

    The list is replaced and never changed: Dramatiq may be going through it.
    """
    others = [one for one in broker.middleware if not _belongs(one, capture)]
    ours = {type(one): one for one in broker.middleware if _belongs(one, capture)}
    late, early = ours.get(Late) or Late(capture), ours.get(Early) or Early(capture)
    broker.middleware = [late, *others, early]
    for actor in list(broker.actors.values()):
        capture.running.watch(actor)


def take_out(broker: Any, capture: Capture) -> None:
    """Undo `place`."""
    broker.middleware = [one for one in broker.middleware if not _belongs(one, capture)]
    for actor in list(broker.actors.values()):
        capture.running.unwatch(actor)


def _belongs(middleware: Any, capture: Capture) -> bool:
    return isinstance(middleware, Late | Early) and middleware.capture is capture
