import { describe, expect, it } from "vitest";
import { readTraceback } from "./traceback";

const text = `Traceback (most recent call last):
  File "/venv/lib/python3.12/site-packages/celery/app/trace.py", line 453, in trace_task
    R = retval = fun(*args, **kwargs)
                 ^^^^^^^^^^^^^^^^^^^^
  File "/venv/lib/python3.12/site-packages/celery/app/trace.py", line 736, in __protected_call__
    return self.run(*args, **kwargs)
  File "/srv/shop/tasks.py", line 12, in send_invoice
    raise ValueError("<b>no</b>")
ValueError: <b>no</b>
`;

describe("readTraceback", () => {
  it("folds library frames and keeps the application's", () => {
    const parts = readTraceback(text);
    expect(parts.map((part) => (part.kind === "frames" ? [part.frames.length, part.isLibrary] : part.text))).toEqual([
      "Traceback (most recent call last):",
      [2, true],
      [1, false],
      "ValueError: <b>no</b>",
    ]);
  });

  it("names the place by the last parts of the file", () => {
    const frames = readTraceback(text).flatMap((part) => (part.kind === "frames" ? part.frames : []));
    expect(frames.map(({ place }) => place)).toEqual([
      "app/trace.py:453 in trace_task",
      "app/trace.py:736 in __protected_call__",
      "shop/tasks.py:12 in send_invoice",
    ]);
    expect(frames[0]!.code[0]).toBe("R = retval = fun(*args, **kwargs)");
  });

  it("returns what is no traceback as it is", () => {
    expect(readTraceback("just text")).toEqual([{ kind: "text", text: "just text" }]);
    expect(readTraceback("")).toEqual([]);
  });
});
