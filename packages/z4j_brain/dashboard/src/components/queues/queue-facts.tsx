import type { ReactNode } from "react";
import { Ago } from "@/components/time";
import { Panel } from "@/components/ui/panel";
import type { QueueView } from "@/services/queues";
import { count } from "@/time/format";
import { Depth, Oldest } from "./queue-table";
import { consumersText, drainText, noDepth, placeText, rate } from "./say";

export function QueueFacts({ queue, sampleS }: { queue: QueueView; sampleS: number }) {
  const facts: [string, ReactNode][] = [
    ["Waiting", <Depth queue={queue} sampleS={sampleS} />],
    ["Oldest", <Oldest queue={queue} />],
    ["In / min", rate(queue.arrivals_per_min)],
    ["Out / min", rate(queue.completions_per_min)],
    ["Empty in", drainText(queue)],
    ["Running", count(queue.recorded_running)],
  ];
  if (queue.unacked !== null) facts.splice(1, 0, ["Unacknowledged", count(queue.unacked)]);
  return (
    <Panel label="Now">
      <dl className="grid grid-cols-3 gap-x-4 gap-y-2 px-3 py-2.5 sm:grid-cols-6">
        {facts.map(([name, value]) => (
          <div key={name} className="min-w-0">
            <dt className="label">{name}</dt>
            <dd className="num truncate text-base">{value}</dd>
          </div>
        ))}
      </dl>
      <div className="border-t border-line px-3 py-2 text-ink-2">
        <Source queue={queue} sampleS={sampleS} />
        <p>
          Consumers: <span className={queue.unconsumed ? "font-medium text-warn" : undefined}>{consumersText(queue)}</span>
          {queue.consumers.length > 0 && <span className="mono text-ink-3"> · {queue.consumers.join(", ")}</span>}
        </p>
        <p className="text-ink-3">
          By the record: {count(queue.recorded_waiting)} queued and due, {count(queue.recorded_held)} received by a worker,{" "}
          {count(queue.recorded_running)} running.
        </p>
      </div>
    </Panel>
  );
}

/** Whose word the depth is. */
function Source({ queue, sampleS }: { queue: QueueView; sampleS: number }) {
  if (queue.waiting === null) return <p>{noDepth(queue, sampleS)}</p>;
  return (
    <p>
      {queue.stale ? <span className="text-warn">Last asked </span> : "Asked "}
      <Ago at={queue.as_of} />
      {queue.sampler ? (
        <>
          {" "}
          by <span className="mono">{queue.sampler}</span>
        </>
      ) : (
        ". No connected process can ask its broker now"
      )}
      <span className="text-ink-3"> · {placeText(queue)}</span>
      {queue.broker && <span className="mono text-ink-3"> · {queue.broker.slice(0, 6)}</span>}
    </p>
  );
}
