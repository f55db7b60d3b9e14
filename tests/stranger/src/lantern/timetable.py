"""The in-house timetable: lights jobs again and again. It knows nothing of z4j."""

import itertools
import threading
import time

from lantern.work import lantern


class Entry:
    def __init__(self, job, every_s, *args, **kwargs):
        self.job, self.every_s, self.args, self.kwargs = job, every_s, args, kwargs
        self.is_lit, self.last, self.next, self.runs = True, None, time.time() + every_s, 0


class Timetable:
    """Its entries are a dictionary that any thread may change; `tick` lights what is due."""

    numbers = itertools.count(1)

    def __init__(self):
        self.number, self.jobs, self.entries = next(self.numbers), {}, {}
        self._ending = threading.Event()

    def start(self):
        threading.Thread(target=self._work, daemon=True, name="timetable").start()

    def stop(self):
        self._ending.set()

    def light(self, name):
        entry = self.entries[name]
        return lantern.light(self.jobs[entry.job], *entry.args, **entry.kwargs)

    def tick(self, now):
        for name, entry in list(self.entries.items()):
            if entry.is_lit and entry.next <= now:
                self.light(name)
                entry.last, entry.next, entry.runs = now, now + entry.every_s, entry.runs + 1

    def _work(self):
        while not self._ending.wait(0.1):
            self.tick(time.time())


timetable = Timetable()
