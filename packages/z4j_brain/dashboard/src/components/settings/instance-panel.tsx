import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Ago } from "@/components/time";
import { Fault, Loading } from "@/components/ui/note";
import { Panel } from "@/components/ui/panel";
import { instanceQuery, type InstanceStatus } from "@/services/instance";
import { bytes, count } from "@/time/format";
import { TableSizes } from "./table-sizes";

/** Version, database and leader of the instance, and how large its tables are. */
export function InstancePanel() {
  const status = useQuery(instanceQuery);
  return (
    <>
      <Panel title="This server">
        {status.isPending && <Loading rows={4} />}
        {status.error && <Fault error={status.error} retry={() => void status.refetch()} />}
        {status.data && <Facts status={status.data} />}
      </Panel>
      {status.data && <TableSizes tables={status.data.tables} />}
    </>
  );
}

function Facts({ status }: { status: InstanceStatus }) {
  return (
    <dl className="grid gap-x-8 px-3 py-2 sm:grid-cols-2">
      <Fact name="Version">{status.version}</Fact>
      <Fact name="Workers online">{count(status.workers_online)}</Fact>
      <Fact name="Database">{status.database}</Fact>
      <Fact name="Size">{bytes(status.bytes)}</Fact>
      <Fact name="Migration">
        {status.migration ?? "none"}
        {status.migration !== status.newest_migration && (
          <span className="text-warn"> (newest: {status.newest_migration})</span>
        )}
      </Fact>
      <Fact name="Oldest event">
        <Ago at={status.oldest_event_at} />
      </Fact>
      <Fact name="Leader">
        <Leader status={status} />
      </Fact>
    </dl>
  );
}

/** Who does the periodic work. SQLite has one server only, which needs no lock to lead. */
function Leader({ status: { leader, is_this_replica_leader: isThis } }: { status: InstanceStatus }) {
  if (!leader) return isThis ? "this replica" : <span className="text-warn">none at the moment</span>;
  return (
    <>
      <span className="mono">{leader.replica}</span>
      {isThis && ", this replica"}, since <Ago at={leader.since} />
    </>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="flex min-h-6 items-baseline justify-between gap-3">
      <dt className="text-ink-3">{name}</dt>
      <dd className="min-w-0 text-right break-words">{children}</dd>
    </div>
  );
}
