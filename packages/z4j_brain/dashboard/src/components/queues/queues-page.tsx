import { useQuery } from "@tanstack/react-query";
import { Page } from "@/components/shell/page";
import { Empty, Fault, Loading } from "@/components/ui/note";
import { useProject } from "@/hooks/use-project";
import { queuesQuery } from "@/services/queues";
import { count } from "@/time/format";
import { QueueTable } from "./queue-table";

export function QueuesPage() {
  const { project } = useProject();
  const list = useQuery(queuesQuery(project));
  const queues = list.data?.items ?? [];
  const lonely = queues.filter((queue) => queue.unconsumed && (queue.waiting ?? 0) > 0);
  return (
    <Page
      title="Queues"
      fixed
      aside={
        list.data && (
          <span className="num hidden text-xs text-ink-3 sm:inline">
            {list.data.sample_s ? `asked every ${list.data.sample_s} s` : "depths are not asked for"}
          </span>
        )
      }
    >
      <div className="min-h-0 flex-1 overflow-y-auto bg-panel">
        {list.isPending && <Loading rows={8} />}
        {list.error && !list.data && <Fault error={list.error} retry={() => void list.refetch()} />}
        {list.data && queues.length === 0 && (
          <Empty icon="queues" title="No queue is known yet">
            <p>Queues appear as soon as a worker connects or a task is published.</p>
          </Empty>
        )}
        {lonely.length > 0 && (
          <p role="note" className="border-b border-line bg-sunken px-4 py-1.5 text-warn">
            Tasks wait where nobody is known to take them:{" "}
            {lonely.slice(0, 5).map(({ queue }) => queue).join(", ")}
            {lonely.length > 5 && ` and ${count(lonely.length - 5)} more`}.
          </p>
        )}
        {list.data && queues.length > 0 && <QueueTable queues={queues} sampleS={list.data.sample_s} />}
        {list.data?.truncated && (
          <p className="px-4 py-2 text-xs text-ink-3">Only the {count(queues.length)} deepest queues are shown.</p>
        )}
      </div>
    </Page>
  );
}
