"""The tracebacks that Celery 5 hands over, as JSON: `python celery_scenes.py`, with Celery.

The brain's tests need no Celery: they read a recording.
"""

import json

import billiard
from celery import Celery
from scenes import ShopError, charge, record, send

app = Celery("shop", broker="memory://")


@app.task(name="shop.tasks.plain")
def plain():
    send(0)


@app.task(name="shop.tasks.retried", autoretry_for=(ZeroDivisionError,), max_retries=0)
def retried():
    charge(0)


@app.task(name="shop.tasks.with_cause")
def with_cause():
    try:
        send(0)
    except ZeroDivisionError as error:
        raise ShopError("order 17") from error


def traced(task):
    """Return what a worker's tracer makes of a task that fails."""
    found = task.apply()
    module = type(found.result).__module__
    return {
        "type": type(found.result).__name__,
        "module": "" if module == "builtins" else module,
        "traceback": found.traceback,
        "message": str(found.result),
    }


def pooled():
    with billiard.get_context("fork").Pool(1) as workers:
        workers.map(send, [0])


if __name__ == "__main__":
    scenes = {task.__name__: traced(task) for task in (plain, retried, with_cause)}
    print(json.dumps({**scenes, "pooled": record(pooled)}))
