"""Lantern as the contract kit drives it: real jobs in the real queue."""

from lantern.plugin import LanternEngine
from lantern.work import lantern

from z4j_core.testing import RecordingHost


def add(value):
    return value + 1


def fail(message):
    raise ValueError(message)


def sign_in(*, password):
    return "in"


class LanternHarness:
    def __init__(self, engine=LanternEngine):
        self.engine, self.host, self.begun = engine(lantern), RecordingHost(), set()
        lantern.listeners.append(self._listen)
        self.engine.attach(self.host)

    def close(self):
        self.engine.detach()
        lantern.listeners.remove(self._listen)

    def run_succeeding(self, value):
        return lantern.light(add, value)

    def run_failing(self, message):
        return lantern.light(fail, message)

    def run_with_secret(self, secret):
        return lantern.light(sign_in, password=secret)

    def has_run(self, task_id):
        return task_id in self.begun

    def _listen(self, what, job, value):
        if what == "started":
            self.begun.add(job[0])
