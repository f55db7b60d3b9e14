import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { RangePicker } from "@/components/series/range-picker";
import { Page } from "@/components/shell/page";
import { buttonVariants } from "@/components/ui/button";
import { Empty, Fault, Loading } from "@/components/ui/note";
import { useProject } from "@/hooks/use-project";
import { type Overview, overviewQuery } from "@/services/overview";
import type { Range } from "@/services/series";
import { Attention } from "./attention";
import { Figures } from "./figures";
import { History } from "./history";
import { Queues } from "./queues";

interface OverviewPageProps {
  range: Range;
  onRange: (range: Range) => void;
}

export function OverviewPage({ range, onRange }: OverviewPageProps) {
  const { project } = useProject();
  const query = useQuery(overviewQuery(project));
  return (
    <Page title="Overview" aside={<RangePicker range={range} onRange={onRange} />}>
      {query.isPending && <Loading />}
      {query.error && !query.data && <Fault error={query.error} retry={() => void query.refetch()} />}
      {query.data && <Content overview={query.data} range={range} />}
    </Page>
  );
}

function isNew({ now, queues }: Overview): boolean {
  return now.last_event_at === null && queues.length === 0 && now.workers_online + now.workers_lost === 0;
}

function Content({ overview, range }: { overview: Overview; range: Range }) {
  const { project } = useProject();
  if (isNew(overview)) {
    return (
      <Empty icon="connect" title="Nothing is connected yet">
        <p className="mb-2">Give your application a token; then its work shows here by itself.</p>
        <Link to="/p/$project/connect" params={{ project }} className={buttonVariants({ variant: "primary" })}>
          Connect an application
        </Link>
      </Empty>
    );
  }
  return (
    <div className="mx-auto flex max-w-350 flex-col gap-3 p-3 sm:p-4">
      <Attention overview={overview} />
      <Figures overview={overview} />
      <History range={range} />
      {overview.queues.length > 0 && <Queues queues={overview.queues} range={range} />}
    </div>
  );
}
