import { useInfiniteQuery } from "@tanstack/react-query";
import { Page } from "@/components/shell/page";
import { LoadMore } from "@/components/ui/load-more";
import { Empty, Fault, Loading } from "@/components/ui/note";
import { useProject } from "@/hooks/use-project";
import { cn } from "@/lib/cn";
import { commandsQuery } from "@/services/commands";
import { COMMAND_GRID, CommandRow } from "./command-row";

export function CommandsPage() {
  const { project } = useProject();
  const commands = useInfiniteQuery(commandsQuery(project));
  const rows = commands.data?.pages.flatMap(({ items }) => items) ?? [];
  return (
    <Page title="Commands">
      {commands.isPending && <Loading />}
      {commands.error && <Fault error={commands.error} retry={() => void commands.refetch()} />}
      {commands.data && rows.length === 0 && (
        <Empty icon="commands" title="Nobody has asked for anything yet">
          Open a task and retry or cancel it; what was asked for, by whom, and how it ended stands here.
        </Empty>
      )}
      {rows.length > 0 && (
        <div role="table" aria-label="Commands" className="min-h-full bg-panel">
          <div role="row" className={cn(COMMAND_GRID, "sticky top-0 h-7 border-b border-line bg-panel px-4")}>
            {["State", "Action", "On", "By", "Asked"].map((name, index) => (
              <span
                key={name}
                role="columnheader"
                className={cn("label", (index === 2 || index === 3) && "hidden sm:block", index === 4 && "text-right")}
              >
                {name}
              </span>
            ))}
          </div>
          {rows.map((command) => (
            <CommandRow key={command.id} command={command} />
          ))}
          <LoadMore of={commands} />
        </div>
      )}
    </Page>
  );
}
