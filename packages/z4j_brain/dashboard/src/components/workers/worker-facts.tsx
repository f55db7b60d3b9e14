import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { Ago, Exact } from "@/components/time";
import { CopyButton } from "@/components/ui/copy-button";
import { Panel } from "@/components/ui/panel";
import { useProject } from "@/hooks/use-project";
import { cn } from "@/lib/cn";
import type { WorkerDetail } from "@/services/workers";
import { count } from "@/time/format";
import { clockText, cpu, drops, lag, memory, outbox, type Said, TONES } from "./health";

export function WorkerFacts({ worker }: { worker: WorkerDetail }) {
  const { project } = useProject();
  const { online } = worker;
  return (
    <Panel title="Facts">
      <dl className="px-3 py-2">
        <Fact name="Worker">
          <span className="mono break-all">{worker.worker_id}</span>
        </Fact>
        <Fact name="Agent">
          <Link to="/p/$project/agents" params={{ project }} className="text-accent underline underline-offset-2">
            {worker.agent.name}
          </Link>
        </Fact>
        <Fact name="Role">{worker.role}</Fact>
        <Fact name="Host">{worker.host || "–"}</Fact>
        <Fact name="Process">{worker.pid}</Fact>
        <Group name="Versions">
          {worker.engines.map(({ name, version }) => (
            <Fact key={name} name={name}>
              {version || "–"}
            </Fact>
          ))}
          {worker.framework && <Fact name="Framework">{worker.framework}</Fact>}
          <Fact name="z4j-agent">{worker.agent_version || "–"}</Fact>
          <Fact name="Python">{worker.python_version || "–"}</Fact>
        </Group>
        <Group name="Record">
          <Told name="Lag" said={lag(worker)} />
          <Told name="Outbox" said={outbox(worker)} />
          <Told name="Dropped events" said={drops(worker)} />
          <Told name="Clock" said={clockText(worker.clock_offset_ms)} />
        </Group>
        <Group name="Load">
          <Fact name="CPU">{online ? cpu(worker.cpu_percent) : "–"}</Fact>
          <Fact name="Memory">{online ? memory(worker.rss_bytes) : "–"}</Fact>
          <Fact name="Processed">{count(worker.processed)}</Fact>
        </Group>
        <Group name="Times">
          <Fact name="First seen">
            <Exact at={worker.first_seen} />
          </Fact>
          <Fact name="Last seen">
            <Ago at={worker.last_seen} />
          </Fact>
          {worker.ended_at && (
            <Fact name="Gone since">
              <Exact at={worker.ended_at} />
            </Fact>
          )}
        </Group>
        <Group name="Incarnation">
          <Fact name="Id">
            <span className="mono break-all">{worker.id}</span>
            <CopyButton text={worker.id} label="Copy the id" />
          </Fact>
        </Group>
      </dl>
    </Panel>
  );
}

function Group({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div role="group" aria-label={name} className="mt-1.5 border-t border-line pt-1.5">
      {children}
    </div>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="flex min-h-6 items-center justify-between gap-3">
      <dt className="shrink-0 text-ink-3">{name}</dt>
      <dd className="num flex min-w-0 items-center gap-1 text-right">{children}</dd>
    </div>
  );
}

function Told({ name, said: { tone, text } }: { name: string; said: Said }) {
  return (
    <Fact name={name}>
      <span className={cn(tone !== "quiet" && "font-medium", tone !== "quiet" && TONES[tone])}>{text}</span>
    </Fact>
  );
}
