import { Link, useNavigate } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useProject } from "@/hooks/use-project";
import { cn } from "@/lib/cn";
import type { QueueView } from "@/services/queues";
import { useZone } from "@/time/clock";
import { count } from "@/time/format";
import { DepthLine } from "./depth-line";
import { QueueActions } from "./queue-actions";
import { asOf, consumersText, drainText, noDepth, oldestText, placeText, rate } from "./say";

const HEADS: [string, string, string?][] = [
  ["Queue", "text-left"],
  ["Waiting", "", "Messages that nobody has taken, as the broker tells"],
  ["Oldest", "", "Age of the oldest that waits"],
  ["In / min", "hidden sm:table-cell", "Tasks published a minute, mean of five"],
  ["Out / min", "hidden sm:table-cell", "Tasks ended a minute, mean of five"],
  ["Empty in", "hidden md:table-cell", "If things stay as they are"],
  ["Running", "hidden md:table-cell", "By the record"],
  ["Consumers", "hidden sm:table-cell", "Online workers that take tasks from it"],
  ["Depth, 1 h", "hidden lg:table-cell"],
  ["", "w-9"],
];

export function QueueTable({ queues, sampleS }: { queues: QueueView[]; sampleS: number }) {
  return (
    <table className="w-full border-collapse text-right" data-testid="queue-table">
      <thead className="sticky top-0 z-10 bg-panel">
        <tr className="h-7 border-b border-line">
          {HEADS.map(([name, className, title]) => (
            <th key={name} scope="col" title={title} className={cn("label px-2 first:pl-4", className)}>
              {name || <span className="sr-only">Actions</span>}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {queues.map((queue) => (
          <QueueRow key={`${queue.engine}/${queue.broker}/${queue.queue}`} queue={queue} sampleS={sampleS} />
        ))}
      </tbody>
    </table>
  );
}

function QueueRow({ queue, sampleS }: { queue: QueueView; sampleS: number }) {
  const { project } = useProject();
  const navigate = useNavigate();
  const aim = {
    to: "/p/$project/queues/$engine/$queue",
    params: { project, engine: queue.engine, queue: queue.queue },
    search: queue.broker ? { broker: queue.broker } : {},
  } as const;
  return (
    <tr
      data-queue={queue.queue}
      data-stale={queue.stale}
      onClick={() => void navigate(aim)}
      className="h-8 cursor-pointer border-b border-line/60 hover:bg-hover"
    >
      <td className="w-[30%] max-w-0 truncate pr-2 pl-4 text-left" title={`${placeText(queue)} · ${queue.queue}`}>
        <Link {...aim} onClick={(event) => event.stopPropagation()} className="mono hover:text-accent hover:underline">
          {queue.queue}
        </Link>{" "}
        <span className="text-xs text-ink-3">{placeText(queue)}</span>
      </td>
      <td className="px-2">
        <Depth queue={queue} sampleS={sampleS} />
      </td>
      <td className="px-2">
        <Oldest queue={queue} />
      </td>
      <Figure wide="sm">{rate(queue.arrivals_per_min)}</Figure>
      <Figure wide="sm">{rate(queue.completions_per_min)}</Figure>
      <Figure wide="md" className={drainText(queue) === "grows" ? "text-warn" : undefined}>
        {drainText(queue)}
      </Figure>
      <Figure wide="md">{count(queue.recorded_running)}</Figure>
      <Figure wide="sm" className={queue.unconsumed ? "font-medium text-warn" : undefined}>
        <span title={queue.consumers.join(", ")}>{consumersText(queue)}</span>
      </Figure>
      <td className="hidden px-2 lg:table-cell">
        <DepthLine values={queue.spark} name={queue.queue} />
      </td>
      <td className="pr-1.5" onClick={(event) => event.stopPropagation()}>
        <QueueActions engine={queue.engine} queue={queue.queue} />
      </td>
    </tr>
  );
}

const SHOWN = { sm: "hidden sm:table-cell", md: "hidden md:table-cell" };

function Figure({ wide, className, children }: { wide: "sm" | "md"; className?: string; children: ReactNode }) {
  return <td className={cn("num px-2 whitespace-nowrap text-ink-2", SHOWN[wide], className)}>{children}</td>;
}

/** The broker's figure; one of the past says of when it is, and what cannot be told says why. */
export function Depth({ queue, sampleS }: { queue: QueueView; sampleS: number }) {
  const past = asOf(queue, useZone());
  if (queue.waiting === null) {
    return (
      <span className="num text-ink-3" title={noDepth(queue, sampleS)}>
        –
      </span>
    );
  }
  return (
    <span className={cn("num whitespace-nowrap", past ? "text-ink-3" : queue.waiting > 0 && "font-semibold")}>
      {count(queue.waiting)}
      {past && <span className="block text-2xs text-warn sm:ml-1.5 sm:inline">{past}</span>}
    </span>
  );
}

export function Oldest({ queue }: { queue: QueueView }) {
  const by = queue.oldest_by === "record" ? "By the record: the broker does not tell" : "By the broker";
  return (
    <span className={cn("num whitespace-nowrap", queue.stale ? "text-ink-3" : "text-ink-2")} title={queue.oldest_by ? by : ""}>
      {oldestText(queue)}
      {queue.oldest_by === "record" && <span className="ml-1 text-2xs text-ink-3">rec.</span>}
    </span>
  );
}
