import { useNavigate } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { Ago } from "@/components/time";
import { Icon } from "@/components/ui/icon";
import { useProject } from "@/hooks/use-project";
import { cn } from "@/lib/cn";
import type { WorkerView } from "@/services/workers";
import { count } from "@/time/format";
import { clockWarning, cpu, drops, engineText, lag, memory, outbox, presence, type Said, TONES } from "./health";

/** One width for the head and every row; name and engines take what is left. */
const GRID =
  "lg:grid lg:grid-cols-[72px_minmax(0,1.5fr)_70px_minmax(0,1fr)_60px_64px_64px_52px_48px_76px_58px_72px_66px_66px] lg:items-center lg:gap-x-2.5";

interface Column {
  head: string;
  title?: string;
  right?: boolean;
  cell: (worker: WorkerView) => ReactNode;
}

const COLUMNS: readonly Column[] = [
  { head: "State", cell: (worker) => <Presence worker={worker} /> },
  { head: "Worker", cell: (worker) => <Name worker={worker} /> },
  { head: "Role", cell: ({ role }) => <Quiet text={role} /> },
  { head: "Engines", cell: ({ engines }) => <Quiet text={engineText(engines)} /> },
  { head: "Agent", title: "Version of z4j-agent", cell: ({ agent_version }) => <Quiet text={agent_version || "–"} /> },
  { head: "Lag", title: "How long its events take to the server", right: true, cell: (worker) => <Told said={lag(worker)} /> },
  { head: "Outbox", title: "Events that wait in the process", right: true, cell: (worker) => <Told said={outbox(worker)} /> },
  { head: "Drops", title: "Events that were given up", right: true, cell: (worker) => <Told said={drops(worker)} /> },
  { head: "CPU", right: true, cell: (worker) => <Quiet text={worker.online ? cpu(worker.cpu_percent) : "–"} /> },
  { head: "Memory", right: true, cell: (worker) => <Quiet text={worker.online ? memory(worker.rss_bytes) : "–"} /> },
  { head: "Running", right: true, cell: ({ running }) => <Running running={running} /> },
  { head: "Processed", right: true, cell: ({ processed }) => <Quiet text={count(processed)} /> },
  { head: "First", title: "First seen", right: true, cell: ({ first_seen }) => <Ago at={first_seen} className="text-ink-2" /> },
  { head: "Last", title: "Last seen", right: true, cell: ({ last_seen }) => <Ago at={last_seen} className="text-ink-2" /> },
];

export function WorkerHead() {
  return (
    <div role="row" className={cn(GRID, "hidden h-7 border-b border-line px-4")}>
      {COLUMNS.map(({ head, title, right }) => (
        <div key={head} role="columnheader" title={title} className={cn("label truncate", right && "text-right")}>
          {head}
        </div>
      ))}
    </div>
  );
}

export function WorkerRow({ worker, isChosen }: { worker: WorkerView; isChosen: boolean }) {
  const open = useOpenWorker();
  return (
    <div
      role="row"
      tabIndex={0}
      data-row={worker.id}
      data-worker-id={worker.worker_id}
      data-online={worker.online}
      data-selected={isChosen}
      onClick={() => open(worker)}
      onKeyDown={(event) => {
        if (event.key === "Enter") open(worker);
      }}
      className={cn(
        "cursor-pointer border-b border-line/60 px-4 py-1.5 hover:bg-hover focus-visible:-outline-offset-2 data-[selected=true]:bg-selected lg:h-7 lg:py-0",
        GRID,
      )}
    >
      {COLUMNS.map(({ head, right, cell }) => (
        <div key={head} role="cell" className={cn("hidden min-w-0 lg:block", right && "text-right")}>
          {cell(worker)}
        </div>
      ))}
      <NarrowCell worker={worker} />
    </div>
  );
}

/** Two lines where the columns have no room. */
function NarrowCell({ worker }: { worker: WorkerView }) {
  const late = [lag(worker), drops(worker), clockWarning(worker)].filter((said) => said !== null && said.tone !== "quiet");
  return (
    <div role="cell" className="lg:hidden">
      <div className="flex items-center gap-2">
        <div className="min-w-0 flex-1">
          <Name worker={worker} />
        </div>
        <Presence worker={worker} />
      </div>
      <div className="flex items-center gap-2 text-xs text-ink-3">
        <span className="min-w-0 flex-1 truncate">
          {worker.role} · {engineText(worker.engines)}
        </span>
        {late.map((said) => said && (
          <Told key={said.text} said={said} />
        ))}
        <span className="num">
          {count(worker.running)} running · {count(worker.processed)} done
        </span>
      </div>
    </div>
  );
}

export function useOpenWorker(): (worker: { id: string }) => void {
  const navigate = useNavigate();
  const { project } = useProject();
  return ({ id }) => void navigate({ to: "/p/$project/workers/$id", params: { project, id } });
}

export function Presence({ worker }: { worker: WorkerView }) {
  const { tone, text } = presence(worker);
  return (
    <span className={cn("inline-flex items-center gap-1.5 font-medium whitespace-nowrap", TONES[tone])}>
      <span
        className={cn(
          "size-2 rounded-full border border-current",
          tone === "good" && "bg-current",
          tone === "bad" && "rounded-none bg-current",
        )}
      />
      {text}
    </span>
  );
}

function Name({ worker }: { worker: WorkerView }) {
  const clock = clockWarning(worker);
  return (
    <span className="flex min-w-0 items-baseline gap-2">
      <span className="mono truncate text-ink" title={worker.worker_id}>
        {worker.worker_id}
      </span>
      <span className="num shrink-0 text-2xs text-ink-3">{worker.pid}</span>
      {clock && (
        <span role="img" aria-label={clock.text} title={clock.text} className={cn("shrink-0 self-center", TONES[clock.tone])}>
          <Icon name="alert" />
        </span>
      )}
    </span>
  );
}

function Quiet({ text }: { text: string }) {
  return (
    <span className="num block truncate text-ink-2" title={text}>
      {text}
    </span>
  );
}

function Told({ said: { tone, text } }: { said: Said }) {
  return <span className={cn("num whitespace-nowrap", TONES[tone], tone !== "quiet" && "font-medium")}>{text}</span>;
}

function Running({ running }: { running: number }) {
  if (running === 0) return <span className="num text-ink-3">0</span>;
  return (
    <span className="num font-medium text-(--s)" data-s="running">
      {count(running)}
    </span>
  );
}
