"""Raises what tasks raise and prints the tracebacks as JSON: `python scenes.py`.

Runs on Python 3.8 and newer, so that recordings of every version can be made and compared. It is
also the application of these tests, and is imported as a module by copies in other folders.
"""

import functools
import json
import os
import sys
import traceback


class ShopError(Exception):
    pass


def charge(amount):
    return 100 / amount


def send(amount):
    return [charge(each) for each in [amount]][0]  # noqa: RUF015


def plain():
    send(0)


def lambdas():
    (lambda amount: charge(amount))(0)


def generators():
    list(charge(each) for each in (1, 0))  # noqa: C400


def with_cause():
    try:
        send(0)
    except ZeroDivisionError as error:
        raise ShopError("order 17") from error


def with_context():
    try:
        send(0)
    except ZeroDivisionError:
        {}["missing"]


def in_library():
    json.loads("{")


def in_the_system():
    os.stat("at-all")  # noqa: PTH116


def deep(depth):
    return deep(depth - 1) if depth else charge(0)


def recursion():
    deep(50)


def endless():
    return endless()


def even(number):
    return odd(number + 1)


def odd(number):
    return even(number + 1)


def endless_pair():
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(200)
    try:
        even(0)
    finally:
        sys.setrecursionlimit(limit)


def syntax():
    compile("x = (", "<string>", "exec")


def evaluated():
    exec(compile("def inner():\n    charge(0)\ninner()", "<string>", "exec"), globals())


def imported():
    import not_there_at_all  # noqa: F401


def wrapped():
    @functools.wraps(charge)
    def run():
        return functools.reduce(lambda one, other: charge(0), [1, 2])

    run()


def lines():
    charge(
        # a comment that makes the expression long
        0
    )


def noted():
    try:
        send(0)
    except ZeroDivisionError as error:
        if hasattr(error, "add_note"):
            error.add_note("Traceback of order 17:\n  it was small")
        raise


def message_with_frames():
    raise ShopError('first\nsecond\n  File "/tmp/x.py", line 3, in made_up\nKeyError: no')


def many():
    raise ExceptionGroup("several", [_caught(plain), _caught(in_library), ValueError("bare")])


def nested():
    raise ExceptionGroup("outer", [ExceptionGroup("inner", [_caught(plain)]), _caught(with_cause)])


def group_with_cause():
    try:
        send(0)
    except ZeroDivisionError as error:
        raise ExceptionGroup("several", [_caught(in_library)]) from error


def _pooled(amount):
    return send(amount)


def pool():
    import multiprocessing

    with multiprocessing.get_context("fork").Pool(1) as workers:
        workers.map(_pooled, [0])


def executor():
    import concurrent.futures
    import multiprocessing

    context = multiprocessing.get_context("fork")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as workers:
        workers.submit(_pooled, 0).result()


def _caught(work):
    try:
        work()
    except Exception as error:
        return error


SCENES = [
    plain, lambdas, generators, with_cause, with_context, in_library, in_the_system, recursion,
    endless, endless_pair, syntax, evaluated, imported, wrapped, lines, noted, message_with_frames,
    pool, executor,
]  # fmt: skip
GROUPS = [many, nested, group_with_cause]


def record(scene):
    """Return what a worker would tell of a task that runs this."""
    try:
        scene()
    except BaseException as error:
        kind = type(error)
        text = "".join(traceback.format_exception(kind, error, error.__traceback__))
        module = "" if kind.__module__ == "builtins" else kind.__module__
        return {"type": kind.__name__, "module": module, "traceback": text, "message": str(error)}


def main():
    scenes = SCENES + (GROUPS if sys.version_info >= (3, 11) else [])
    print(json.dumps({scene.__name__: record(scene) for scene in scenes}))


if __name__ == "__main__":
    main()
