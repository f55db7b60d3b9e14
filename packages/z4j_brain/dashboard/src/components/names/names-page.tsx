import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { RangePicker, spokenRange } from "@/components/series/range-picker";
import { Page } from "@/components/shell/page";
import { Empty, Fault, Loading } from "@/components/ui/note";
import { Panel } from "@/components/ui/panel";
import { useProject } from "@/hooks/use-project";
import { type Range, totalsQuery } from "@/services/series";
import { count } from "@/time/format";
import { NameTable } from "./name-table";
import { nextOrder, type Order, sorted } from "./sorting";

interface NamesPageProps {
  range: Range;
  onRange: (range: Range) => void;
}

/** Every task name with what became of its tasks, and how long they waited and ran. */
export function NamesPage({ range, onRange }: NamesPageProps) {
  const { project } = useProject();
  const query = useQuery({ ...totalsQuery(project, range, "name"), placeholderData: keepPreviousData });
  const [order, setOrder] = useState<Order>({ by: "ended", isDescending: true });
  const groups = query.data?.groups ?? [];
  return (
    <Page title="Task names" aside={<RangePicker range={range} onRange={onRange} />}>
      {query.isPending && <Loading />}
      {query.error && !query.data && <Fault error={query.error} retry={() => void query.refetch()} />}
      {query.data && groups.length === 0 && (
        <Empty icon="names" title={`Nothing happened in ${spokenRange(range)}`}>
          Choose a longer span above.
        </Empty>
      )}
      {groups.length > 0 && (
        <div className="mx-auto max-w-350 p-3 sm:p-4">
          <Panel
            title={`${count(groups.filter((group) => !group.other).length)} names`}
            aside={<span>{spokenRange(range)} · percentiles within 1%</span>}
          >
            <NameTable
              groups={sorted(groups, order)}
              others={query.data?.others ?? 0}
              order={order}
              onOrder={(by) => setOrder(nextOrder(order, by))}
              since={range}
            />
          </Panel>
        </div>
      )}
    </Page>
  );
}
