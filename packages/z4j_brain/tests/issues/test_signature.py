"""The same failure has one signature wherever and however often it happens; others have another."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from z4j_brain.issues.memo import MAX_CHARACTERS, MAX_ENTRIES, Signatures
from z4j_brain.issues.messages import normal_message
from z4j_brain.issues.places import place_of
from z4j_brain.issues.signature import ID_LENGTH, MAX_STACK, Failure, Signature, signature_of
from z4j_brain.issues.traceback import MAX_FRAMES, MAX_SECTIONS, read_traceback

HERE = Path(__file__).parent
RECORDINGS = {path.stem: json.loads(path.read_text()) for path in HERE.glob("tracebacks/*.json")}
PYTHONS = sorted(name for name in RECORDINGS if name != "celery-5")
ALL = [(name, scene) for name, scenes in RECORDINGS.items() for scene in scenes]
NAME = "shop.tasks.send"


def failure_of(recorded: dict[str, str], name: str = NAME) -> Failure:
    return Failure(task_name=name, **recorded)


def recorded(python: str, scene: str) -> Signature:
    return signature_of(failure_of(RECORDINGS[python][scene]))


def own(stack: str) -> str:
    return stack.replace("shop.tasks in record\n", "")


EXPECTED = {
    "plain": "ZeroDivisionError\n{in plain}\n{in send}\n{in charge}",
    "lambdas": "ZeroDivisionError\n{in lambdas}\n{in <lambda>}\n{in charge}",
    "generators": "ZeroDivisionError\n{in generators}\n{in <genexpr>}\n{in charge}",
    "with_cause": "ZeroDivisionError (behind it)\n  {in with_cause}\n  {in send}\n  {in charge}\n"
    "ShopError (shop)\n{in with_cause}",
    "with_context": "ZeroDivisionError (behind it)\n  {in with_context}\n  {in send}\n"
    "  {in charge}\nKeyError\n{in with_context}",
    "in_library": "JSONDecodeError (json)\n{in in_library}\njson …",
    "in_the_system": "FileNotFoundError\n{in in_the_system}",
    "recursion": "ZeroDivisionError\n{in recursion}\n{in deep}\n{in charge}",
    "endless": "RecursionError\n{in endless}",
    "endless_pair": "RecursionError\n{in even}\n{in odd}",
    "syntax": "SyntaxError\n{in syntax}\n<string> …",
    "evaluated": "ZeroDivisionError\n{in evaluated}\n{in charge}",
    "imported": "ModuleNotFoundError\n{in imported}",
    "wrapped": "ZeroDivisionError\n{in wrapped}\n{in run}\n{in <lambda>}\n{in charge}",
    "lines": "ZeroDivisionError\n{in lines}\n{in charge}",
    "noted": "ZeroDivisionError\n{in noted}\n{in send}\n{in charge}",
    "message_with_frames": "ShopError (shop)\n{in message_with_frames}",
    "pool": "ZeroDivisionError (behind it)\n  {in _pooled}\n  {in send}\n  {in charge}\n"
    "ZeroDivisionError\n{in pool}\nmultiprocessing …",
    "executor": "ZeroDivisionError (behind it)\n  {in _pooled}\n  {in send}\n  {in charge}\n"
    "ZeroDivisionError\n{in executor}\nconcurrent …",
    "many": "JSONDecodeError (behind it)\n  {in _caught}\n  {in in_library}\n  json …\n"
    "ValueError (behind it)\nZeroDivisionError (behind it)\n  {in _caught}\n  {in plain}\n"
    "  {in send}\n  {in charge}\nExceptionGroup\n{in many}",
    "nested": "ExceptionGroup (behind it)\nShopError (behind it)\n  {in _caught}\n"
    "  {in with_cause}\nZeroDivisionError (behind it)\n  {in _caught}\n  {in plain}\n"
    "  {in send}\n  {in charge}\nZeroDivisionError (behind it)\n  {in with_cause}\n"
    "  {in send}\n  {in charge}\nExceptionGroup\n{in nested}",
    "group_with_cause": "JSONDecodeError (behind it)\n  {in _caught}\n  {in in_library}\n"
    "  json …\nZeroDivisionError (behind it)\n  {in group_with_cause}\n  {in send}\n"
    "  {in charge}\nExceptionGroup\n{in group_with_cause}",
}


@pytest.mark.parametrize("scene", EXPECTED)
@pytest.mark.parametrize("python", PYTHONS)
def test_recorded_tracebacks(python: str, scene: str) -> None:
    if scene not in RECORDINGS[python]:
        assert python < "python-3.11" or python == "python-3.8" or python == "python-3.9"
        return
    expected = re.sub(r"{(.+?)}", r"shop.tasks \1", EXPECTED[scene])
    found = recorded(python, scene)
    assert own(found.stack) == expected
    assert found.id == recorded("python-3.11", scene).id


def test_every_recording_is_of_every_scene() -> None:
    assert set(RECORDINGS["python-3.11"]) == set(EXPECTED)


def test_this_python_writes_what_the_recordings_hold(tmp_path: Path) -> None:
    """So a new Python whose tracebacks look different is noticed."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "tasks.py").write_text((HERE / "scenes.py").read_text())
    command = [sys.executable, "-c", "from shop import tasks; tasks.main()"]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True).stdout
    for scene, one in json.loads(told).items():
        assert signature_of(failure_of(one)) == recorded("python-3.11", scene), scene


def test_scenes_differ() -> None:
    ids = {recorded("python-3.12", scene).id for scene in EXPECTED}
    assert len(ids) == len(EXPECTED)


@pytest.mark.parametrize(
    ("scene", "lines"),
    [
        ("plain", ["ZeroDivisionError", "shop.tasks in plain", "shop.scenes in send"]),
        ("retried", ["ZeroDivisionError", "shop.tasks in retried", "shop.scenes in charge"]),
        ("with_cause", ["ZeroDivisionError (behind it)", "  shop.tasks in with_cause"]),
        ("pooled", ["ZeroDivisionError (behind it)", "  shop.scenes in send"]),
    ],
)
def test_celery_and_billiard(scene: str, lines: list[str]) -> None:
    found = signature_of(failure_of(RECORDINGS["celery-5"][scene], f"shop.tasks.{scene}"))
    assert found.stack.split("\n")[: len(lines)] == lines
    assert "celery" not in found.stack


PLACES = st.sampled_from(
    ["/srv/x", "/home/deploy/releases/20240117093000", "/app", "C:\\work\\shop", "/a/shop", "/é ü"]
)


@given(scene=st.sampled_from(sorted(EXPECTED)), place=PLACES, lines=st.integers(1, 99_999))
def test_another_machine_or_release(scene: str, place: str, lines: int) -> None:
    one = RECORDINGS["python-3.13"][scene]
    text = one["traceback"].replace("/srv/shop/releases/a1b2c3d4e5", place)
    text = re.sub(r"line \d+", lambda found: f"line {int(found[0][5:]) + lines}", text)
    text = text.replace("repeated 193 more", f"repeated {lines} more")
    if "\\" in place:
        text = re.sub(r'File "[^"]*"', lambda found: found[0].replace("/", "\\"), text)
        text = text.replace("\\usr\\local\\lib\\python3.13\\", "C:\\Python313\\Lib\\")
    text = re.sub(r"(\w+Error: ).+", r"\1something else 0x7f3a", text)
    moved = signature_of(failure_of(one | {"traceback": text, "message": "something else"}))
    assert moved == recorded("python-3.13", scene)


@given(scene=st.sampled_from(["plain", "with_cause", "many", "recursion"]), at=st.integers(0, 9))
def test_another_function_or_type_is_another_issue(scene: str, at: int) -> None:
    one = RECORDINGS["python-3.12"][scene]
    functions = sorted(
        set(re.findall(r'tasks.py", line \d+, in (\w+)$', one["traceback"], re.MULTILINE))
    )
    renamed = functions[at % len(functions)]
    text = re.sub(f", in {renamed}$", f", in {renamed}2", one["traceback"], flags=re.MULTILINE)
    known = recorded("python-3.12", scene).id
    assert signature_of(failure_of(one | {"traceback": text})).id != known
    assert signature_of(failure_of(one | {"type": "OtherError"})).id != known


def test_the_children_of_a_group_count_once_and_in_any_order() -> None:
    child = '    | Traceback (most recent call last):\n    |   File "/a/b.py", line {}, in {}\n'
    one = child.format(1, "f") + "    | KeyError: 1\n"
    other = child.format(9, "g") + "    | ValueError: 2\n"
    begin = '  + Exception Group Traceback (most recent call last):\n  |   File "/a/b.py", line 1,'
    begin += " in run\n  | ExceptionGroup: several\n  +-+---------------- 1 ----------------\n"
    middle = "    +---------------- 2 ----------------\n"
    found = {
        signature_of(Failure("ExceptionGroup", traceback=begin + middle.join(children))).id
        for children in ([one, other], [other, one], [one, one, other], [other, one, other, one])
    }
    assert len(found) == 1


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/usr/lib/python3.11/json/decoder.py", ("json.decoder", "json")),
        ("/opt/pypy/lib/pypy3.10/json/__init__.py", ("json", "json")),
        ("/usr/local/lib/python313.zip/pathlib/_local.py", ("pathlib._local", "pathlib")),
        ("C:\\Python313\\Lib\\pathlib.py", ("pathlib", "pathlib")),
        ("/v/lib/python3.12/site-packages/redis/client.py", ("redis.client", "redis")),
        ("/usr/lib/python3/dist-packages/celery/app/trace.py", ("celery.app.trace", "celery")),
        ("/v/site-packages/foo-1.0-py3.9.egg/foo/bar.py", ("foo.bar", "foo")),
        ("<frozen importlib._bootstrap>", ("importlib._bootstrap", "importlib")),
        ("<string>", ("<string>", "<string>")),
        ("<ipython-input-12-0x7f>", ("<ipython-input-0-0>", "<ipython-input-0-0>")),
        ("/srv/a/shop/tasks.py", ("shop.tasks", "")),
        ("/srv/20240117093000/tasks.py", ("tasks", "")),
        ("tasks.py", ("tasks", "")),
        ("", ("", "")),
    ],
)
def test_places(path: str, place: tuple[str, str]) -> None:
    found = place_of(path, "")
    assert (found.module, found.package) == place


def test_an_installed_application_is_known_by_its_tasks_name() -> None:
    site = "/v/lib/python3.12/site-packages"
    text = f"""Traceback (most recent call last):
  File "{site}/celery/app/trace.py", line 453, in trace_task
  File "{site}/shop/tasks.py", line 3, in send
  File "{site}/requests/api.py", line 73, in get
requests.exceptions.Timeout: no answer"""
    found = signature_of(Failure("Timeout", "requests.exceptions", "", text, NAME))
    assert found.stack == "Timeout (requests)\nshop.tasks in send\nrequests …"
    assert found.title == "shop.tasks in send"
    strange = signature_of(Failure("Timeout", "requests.exceptions", "", text, "nightly"))
    assert strange.stack == "Timeout (requests)\nshop.tasks in send\nrequests.api in get"


@pytest.mark.parametrize(
    ("one", "other", "normal"),
    [
        (
            "Worker exited: signal 9 (SIGKILL) Job: 12.",
            "",
            "Worker exited: signal 0 (SIGKILL) Job: 0.",
        ),
        ("no user 'ada' in \"x\"", "no user 'bob b' in \"yy\"", "no user '…' in '…'"),
        ("can't open /tmp/a1/b: gone", "can't open C:\\x: gone", "can't open <path>: gone"),
        ("<Order object at 0x7f12ab>", "<Order object at 0x1>", "<Order object at <address>>"),
        (
            "6f9619ff-8b86-d011-b42d-00c04fc964ff is gone\nsecond",
            "0f9619ff-8b86-d011-b42d-00c04fc964f0 is gone",
            "<id> is gone",
        ),
        ("took 3.5 s, 1.2.3.4", "took 13 s, 10.0.0.1", "took 0 s, 0"),
    ],
)
def test_messages(one: str, other: str, normal: str) -> None:
    assert normal_message(one) == normal
    assert normal_message(other or one) == normal


def test_without_a_traceback_type_task_and_message_count() -> None:
    def of(**fields: str) -> str:
        known = {"type": "WorkerLostError", "message": "signal 9", "task_name": "a.b"}
        return signature_of(Failure(**known | fields)).id

    assert of() == of(message="signal 15") == of(traceback="no frames here")
    assert len({of(), of(type="X"), of(task_name="c"), of(message="killed"), of(module="b")}) == 5
    assert signature_of(Failure()).title == "no message"


HOSTILE = [
    "A" * 1_000_000,
    'File "' * 200_000,
    '  File "x", line 1, in ' + "\u202e\ufffd" * 100_000,
    "".join(f'  File "/a/{n}.py", line {n}, in f{n}\n' for n in range(30_000)),
    "Traceback (most recent call last):\n" * 30_000,
    "    +---------------- 1 ----------------\n" * 30_000,
    "  " * 500_000 + "| x",
    "\x1b[" * 400_000,
    '  File "' + "/a" * 500_000 + '.py", line 1, in f\nE: 1',
    '  File "/srv/lib/python3/' * 40_000,
    "… [cut, " * 100_000,
    "  +-" + "-+" * 400_000,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_bounded(text: str) -> None:
    sections = read_traceback(text)
    assert len(sections) <= MAX_SECTIONS
    assert all(len(section.frames) <= MAX_FRAMES for section in sections)
    name = ".".join(["a"] * 120)
    for failure in (
        Failure("E", "m", "x", text, name),
        Failure("", "", text, "", name),
        Failure(text, text, text, text, text),
    ):
        found = signature_of(failure)
        assert len(found.id) == ID_LENGTH
        assert len(found.stack) <= MAX_STACK


PARTS = st.sampled_from(
    [
        "Traceback (most recent call last):\n",
        '  File "/a/b/c.py", line 1, in f\n',
        "E: 1\n",
        "E\n",
        '  | File "x',
        '  |   File "/a/b.py", line 2, in g\n',
        "    +---------------- 1 ----------------\n",
        "x\ud800\0",
        "\r\n",
        "  + Exception Group Traceback (most recent call last):\n",
        "a.E: m\n",
        "  [Previous line repeated 3 more times]\n",
        "    ~~^^\n",
        "… [cut, 3 characters] …\n",
        "+-",
    ]
)


@given(parts=st.lists(PARTS, max_size=12), kind=st.sampled_from(["", "E", "F"]))
def test_remembered_signatures_are_those_of_the_rules(parts: list[str], kind: str) -> None:
    text = "".join(parts)
    for failure in (
        Failure(kind, "", "m", text, NAME),
        Failure(kind, "", "m", text + "E: 2", NAME),
    ):
        assert MEMORY.of(failure) == signature_of(failure)
        assert MEMORY.of(failure) == signature_of(failure)


MEMORY = Signatures()


def test_the_memory_is_bounded_and_remembers() -> None:
    memory = Signatures()
    for number in range(3 * MAX_ENTRIES):
        memory.of(Failure("E", message=f"{number:x}", traceback=""))
        assert memory.size <= 2 * MAX_ENTRIES
    big = "x" * (MAX_CHARACTERS // 4)
    for number in range(12):
        memory.of(Failure("E", message=f"{big}{number}"))
    assert memory.size <= 10
    one = memory.of(Failure("E", message="again"))
    assert memory.of(Failure("E", message="again")) is one
    text = 'Traceback (most recent call last):\n  File "/a/b.py", line 1, in f\nE: {}'
    first = memory.of(Failure("E", "", "1", text.format(1)))
    assert memory.of(Failure("E", "", "2", text.format(2))) is first


def test_recordings_name_no_machine() -> None:
    assert len(ALL) > 100
    text: Any = json.dumps(RECORDINGS)
    assert not re.search(r"/root|/work|pyenv|/tmp/(?!x\.py)", text)
