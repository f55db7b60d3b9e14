"""The in-house queue: jobs run one after the other on a thread. It knows nothing of z4j."""

import queue
import threading
import uuid


class Lantern:
    def __init__(self):
        self.jobs, self.listeners, self.oil = queue.Queue(), [], 0
        threading.Thread(target=self._work, daemon=True, name="lantern").start()

    def light(self, function, *args, **kwargs):
        job = (uuid.uuid4().hex, function, args, kwargs)
        self._tell("published", job, None)
        self.jobs.put(job)
        return job[0]

    def _work(self):
        while job := self.jobs.get():
            self._tell("started", job, None)
            try:
                outcome, value = "succeeded", job[1](*job[2], **job[3])
            except Exception as error:
                outcome, value = "failed", error
            self._tell(outcome, job, value)

    def _tell(self, what, job, value):
        for listener in list(self.listeners):
            listener(what, job, value)


lantern = Lantern()
