from __future__ import annotations

import threading
from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from z4j_agent.backlog import BATCH_BYTES, FULL, ITEM_OVERHEAD, RANK
from z4j_agent.outbox import Outbox
from z4j_core.codec import MSGPACK
from z4j_core.events import Kind, WireEvent
from z4j_core.frames import Gap, RawEvents

MIB = 1024 * 1024
encode = msgspec.msgpack.Encoder().encode


def wire(number: int, kind: Kind = Kind.STARTED, size: int = 10) -> bytes:
    payload = b'"' + b"x" * size + b'"'
    return encode(WireEvent(kind, "celery", f"t{number}", 0, number, None, None, payload))


def fill(outbox: Outbox, kinds: list[Kind], size: int = 10) -> None:
    for number, kind in enumerate(kinds, 1):
        outbox.append(kind, number, wire(number, kind, size))


def sent(outbox: Outbox, window: int = 1000) -> tuple[list[WireEvent], list[Gap], list[int]]:
    """Seal and read everything, acknowledging as a server would."""
    events: list[WireEvent] = []
    gaps: list[Gap] = []
    sizes: list[int] = []
    while outbox.seal(window) or outbox.sender.unsent:
        for payload in outbox.sender.take_due(window):
            frame = MSGPACK.decode(payload)
            if isinstance(frame, Gap):
                gaps.append(frame)
            else:
                assert isinstance(frame, RawEvents)
                good, bad = MSGPACK.decode_events(frame.events)
                assert not bad
                events += good
                sizes.append(len(good))
        outbox.sender.acknowledge(outbox.sender.last)
        outbox.settle()
    return events, gaps, sizes


def test_events_leave_in_order_in_frames_of_at_most_200() -> None:
    outbox = Outbox(MIB)
    fill(outbox, [Kind.STARTED] * 450)
    events, gaps, sizes = sent(outbox)
    assert [event.occurred_at for event in events] == list(range(1, 451))
    assert sizes == [200, 200, 50]
    assert gaps == []
    assert outbox.is_drained
    assert outbox.fill() == (0, 0, 0, 0, 0)


@pytest.mark.parametrize("count", [1, 15, 16, 17, 200])
def test_the_header_of_a_batch_is_right_for_every_length(count: int) -> None:
    outbox = Outbox(MIB)
    fill(outbox, [Kind.STARTED] * count)
    assert sent(outbox)[2] == [count]


def test_the_servers_limit_on_events_is_kept() -> None:
    outbox = Outbox(MIB)
    fill(outbox, [Kind.STARTED] * 7)
    outbox.seal(100, max_events=3)
    assert outbox.sender.kept == 3


def test_a_frame_is_sealed_at_64_kib_but_holds_at_least_one_event() -> None:
    outbox = Outbox(4 * MIB)
    fill(outbox, [Kind.STARTED] * 5, size=30_000)
    fill(outbox, [Kind.FAILED], size=65_000)
    outbox.seal(100)
    frames = outbox.sender.take_due(100)
    assert [len(frame) <= BATCH_BYTES + 100 for frame in frames] == [True] * len(frames)
    assert sent(outbox) is not None
    assert len(frames) == 4


def test_what_the_window_has_no_room_for_stays_where_it_can_be_shed() -> None:
    outbox = Outbox(MIB)
    fill(outbox, [Kind.STARTED] * 1000)
    assert outbox.seal(2) == 2
    assert outbox.sender.kept == 2
    assert not outbox.has_room(2)
    assert outbox.has_pending
    assert outbox.fill().events == 1000


def test_numbered_frames_fill_no_more_than_half_of_the_memory() -> None:
    outbox = Outbox(MIB)
    fill(outbox, [Kind.FAILED] * 14, size=60_000)
    outbox.seal(1000)
    assert outbox.sender.kept_bytes < MIB * 0.6
    assert outbox.has_pending


def test_in_flight_events_count_as_waiting_until_acknowledged() -> None:
    outbox = Outbox(MIB)
    fill(outbox, [Kind.STARTED, Kind.SUCCEEDED])
    outbox.seal(10)
    figures = outbox.fill()
    assert (figures.events, figures.oldest_at, figures.processed) == (2, 1, 1)
    assert not outbox.is_drained
    outbox.sender.take_due(10)
    outbox.sender.acknowledge(1)
    outbox.settle()
    assert outbox.fill().events == 0
    assert outbox.is_drained


def test_the_least_valuable_events_go_first() -> None:
    outbox = Outbox(MIB)
    kinds = [Kind.FAILED, Kind.SUCCEEDED, Kind.PUBLISHED, Kind.STARTED, Kind.RECEIVED]
    fill(outbox, kinds * 40, size=6_000)
    events, gaps, _ = sent(outbox)
    left = Counter(event.kind for event in events)
    assert left[Kind.FAILED] == 40
    assert left[Kind.SUCCEEDED] == 40
    assert left[Kind.STARTED] + left[Kind.RECEIVED] < 80
    (gap,) = gaps
    assert gap.reason == FULL
    assert gap.count == 200 - len(events) == sum(gap.kinds.values())
    assert outbox.fill().dropped == gap.count


def test_failures_go_only_when_nothing_else_is_left_and_the_oldest_first() -> None:
    outbox = Outbox(MIB)
    fill(outbox, [Kind.SUCCEEDED] * 10 + [Kind.FAILED] * 300, size=5_000)
    events, gaps, _ = sent(outbox)
    assert {event.kind for event in events} == {Kind.FAILED}
    times = [event.occurred_at for event in events]
    assert times == sorted(times)
    assert times[-1] == 310
    assert gaps[0].kinds["succeeded"] == 10
    assert gaps[0].since == 1
    assert gaps[0].until == times[0] - 1


def test_losses_before_the_outbox_are_told_apart_by_their_reason() -> None:
    outbox = Outbox(MIB)
    outbox.lose("reason one", "started", 5)
    outbox.lose("reason two", "failed", 7, count=3)
    outbox.lose("reason one", "failed", 3)
    _, gaps, _ = sent(outbox)
    assert [(gap.reason, gap.count, gap.since, gap.until) for gap in gaps] == [
        ("reason one", 2, 3, 5),
        ("reason two", 3, 7, 7),
    ]


def test_the_driver_is_woken_once_and_only_when_it_waits() -> None:
    outbox = Outbox(MIB)
    woken: list[int] = []
    fill(outbox, [Kind.STARTED])
    assert not outbox.wait(lambda: woken.append(1))
    sent(outbox)
    assert outbox.wait(lambda: woken.append(1))
    assert woken == []
    fill(outbox, [Kind.STARTED] * 10)
    assert woken == [1]


def test_a_signal_handler_may_emit_while_its_thread_is_inside() -> None:
    outbox = Outbox(MIB)
    inside = threading.Event()

    def handler_like() -> None:
        outbox.append(Kind.STARTED, 99, wire(99))
        inside.set()

    outbox.wait(handler_like)
    fill(outbox, [Kind.STARTED])
    assert inside.is_set()
    assert len(sent(outbox)[0]) == 2


def test_many_threads_lose_nothing() -> None:
    outbox = Outbox(16 * MIB)

    def work(base: int) -> None:
        for number in range(500):
            outbox.append(Kind.STARTED, base + number, wire(base + number))

    threads = [threading.Thread(target=work, args=(n * 1000,)) for n in range(4)]
    for thread in threads:
        thread.start()
    seen: list[WireEvent] = []
    while any(thread.is_alive() for thread in threads):
        seen += sent(outbox)[0]
    seen += sent(outbox)[0]
    assert len({event.occurred_at for event in seen}) == len(seen) == 2000


@given(
    steps=st.lists(
        st.tuples(st.sampled_from(list(Kind)), st.integers(1, 60_000), st.booleans()),
        max_size=120,
    )
)
def test_memory_is_bounded_and_every_event_is_sent_or_counted(
    steps: list[tuple[Kind, int, bool]],
) -> None:
    limit = MIB
    outbox = Outbox(limit)
    delivered = 0
    for number, (kind, size, is_sealing) in enumerate(steps, 1):
        outbox.append(kind, number, wire(number, kind, size))
        assert outbox.fill().bytes <= limit + 70_000 + ITEM_OVERHEAD
        if is_sealing:
            outbox.seal(4)
    events, gaps, _ = sent(outbox)
    delivered += len(events)
    assert delivered + sum(gap.count for gap in gaps) == len(steps)
    assert outbox.fill().bytes == 0


@given(st.lists(st.sampled_from(list(Kind)), min_size=1, max_size=300))
def test_no_event_is_shed_while_one_of_lower_rank_stays(kinds: list[Kind]) -> None:
    outbox = Outbox(MIB)
    fill(outbox, kinds, size=9_000)
    events, gaps, _ = sent(outbox)
    if any("failed" in gap.kinds for gap in gaps):
        # At the time of the last shedding nothing of lower rank was left but what came since.
        newest_loss = gaps[-1].until
        older = [e for e in events if e.occurred_at < newest_loss and RANK.get(e.kind, 3) < 3]
        assert older == []
