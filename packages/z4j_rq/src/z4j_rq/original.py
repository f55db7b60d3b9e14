"""A job as the bytes that an agent seals (`docs/sealed.md`), and back.

Sealed jobs are kept for as long as their tasks: append fields with defaults, change none.
"""

from __future__ import annotations

from typing import Any

import msgspec

_CALLBACKS = ("success", "failure", "stopped")


class Original(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What a second life of a job needs. `data` is as RQ serialised it: function and arguments,
    which nothing has changed since. Times are seconds. `callbacks` are name and time limit of those
    on success, failure and stop.
    """

    data: bytes
    queue: str
    description: str | None = None
    timeout: int | None = None
    result_ttl: int | None = None
    failure_ttl: int | None = None
    retries: int | None = None
    retry_intervals: list[int] | None = None
    callbacks: list[tuple[str | None, int | None]] = []
    parent: str | None = None
    root: str | None = None


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Original).decode


def original_of(job: Any) -> Original:
    """Return what is to be kept of a job; nothing is deserialised."""
    from z4j_rq.stamp import Stamp, stamp_of

    stamp = stamp_of(job) or Stamp()
    retries = stamp.retries or job.retries_left
    return Original(
        data=bytes(job.data),
        queue=str(job.origin),
        description=job.description,
        timeout=job.timeout,
        result_ttl=job.result_ttl,
        failure_ttl=job.failure_ttl,
        retries=retries,
        retry_intervals=job.retry_intervals or None,
        callbacks=[
            (
                getattr(job, f"_{kind}_callback_name", None),
                getattr(job, f"_{kind}_callback_timeout", None),
            )
            for kind in _CALLBACKS
        ],
        parent=stamp.parent,
        root=stamp.root,
    )


def pack(job: Any) -> bytes:
    """Return a job as bytes."""
    return _encode(original_of(job))


def unpack(data: bytes) -> Original:
    """Return what these bytes hold; raise `ValueError`, which quotes nothing of them."""
    try:
        return _decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ValueError(f"it is no job of this version: {type(error).__name__}") from None


def dress(job: Any, original: Original) -> None:
    """Give a new job what the old one had."""
    job.data = original.data
    job.timeout = original.timeout
    job.result_ttl, job.failure_ttl = original.result_ttl, original.failure_ttl
    job.description = original.description
    job.retries_left, job.retry_intervals = original.retries, original.retry_intervals
    for kind, (name, timeout) in zip(_CALLBACKS, original.callbacks, strict=False):
        if name:
            setattr(job, f"_{kind}_callback_name", name)
            setattr(job, f"_{kind}_callback_timeout", timeout)
