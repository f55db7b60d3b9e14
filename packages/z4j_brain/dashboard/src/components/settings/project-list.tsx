import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Ago } from "@/components/time";
import { buttonVariants } from "@/components/ui/button";
import { Fault, Loading } from "@/components/ui/note";
import { Panel } from "@/components/ui/panel";
import { useProject } from "@/hooks/use-project";
import { type ProjectSummary, projectsQuery } from "@/services/instance";
import { count } from "@/time/format";

/** Every project of the instance, for its administrators. */
export function ProjectList() {
  const { project } = useProject();
  const list = useQuery(projectsQuery);
  return (
    <Panel title="Projects" aside={list.data && count(list.data.items.length)}>
      {list.isPending && <Loading rows={3} />}
      {list.error && <Fault error={list.error} retry={() => void list.refetch()} />}
      <ul aria-label="Projects">
        {list.data?.items.map((item) => (
          <Row key={item.slug} item={item} isOpen={item.slug === project} />
        ))}
      </ul>
    </Panel>
  );
}

function Row({ item, isOpen }: { item: ProjectSummary; isOpen: boolean }) {
  return (
    <li className="flex min-h-9 flex-wrap items-center gap-x-3 gap-y-1 border-b border-line/60 px-3 py-1 last:border-b-0">
      <div className="min-w-0 flex-1 basis-52">
        <span className="font-medium break-words">{item.name}</span>{" "}
        <span className="mono text-xs break-all text-ink-3">{item.slug}</span>
      </div>
      <span className="text-ink-2">
        {some(item.members, "member")}, {some(item.agents, "agent")}
      </span>
      <span className="w-36 text-ink-2">
        {item.last_event_at ? (
          <>
            last event <Ago at={item.last_event_at} />
          </>
        ) : (
          <span className="text-ink-3">no event yet</span>
        )}
      </span>
      <span className="ml-auto flex w-20 justify-end">
        {isOpen ? (
          <span className="text-xs text-ink-3">open now</span>
        ) : (
          <Link
            to="/p/$project"
            params={{ project: item.slug }}
            aria-label={`Switch to ${item.name}`}
            className={buttonVariants({ size: "sm" })}
          >
            Switch
          </Link>
        )}
      </span>
    </li>
  );
}

const some = (number: number, what: string): string => `${count(number)} ${what}${number === 1 ? "" : "s"}`;
