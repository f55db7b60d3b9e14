import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { TaskActions } from "@/components/actions/action-buttons";
import { CommandRow } from "@/components/commands/command-row";
import { JsonText } from "@/components/json-text";
import { Page } from "@/components/shell/page";
import { Exact } from "@/components/time";
import { CopyButton } from "@/components/ui/copy-button";
import { Icon } from "@/components/ui/icon";
import { LoadMore } from "@/components/ui/load-more";
import { Empty, Fault, Loading } from "@/components/ui/note";
import { Panel } from "@/components/ui/panel";
import { StateBadge } from "@/components/ui/state-badge";
import { useProject } from "@/hooks/use-project";
import { commandsQuery } from "@/services/commands";
import { stringifyExact } from "@/services/exact-json";
import { ApiError } from "@/services/http";
import { type ExactRetry, type TaskDetail, taskQuery } from "@/services/tasks";
import { Attempts } from "./attempts";
import { Events } from "./events";
import { Facts } from "./facts";
import { StatePicture } from "./state-picture";
import { TaskTree } from "./task-tree";
import { TracebackView } from "./traceback-view";

export function TaskPage({ engine, taskId }: { engine: string; taskId: string }) {
  const { project } = useProject();
  const query = useQuery(taskQuery(project, engine, taskId));
  const task = query.data;
  const title = task?.name ?? taskId;
  const heading = (
    <span className="flex min-w-0 items-center gap-1.5">
      <Link to="/p/$project/tasks" params={{ project }} className="text-ink-3 hover:text-ink">
        Tasks
      </Link>
      <span className="text-ink-3">/</span>
      <span className="mono truncate text-sm">{title}</span>
    </span>
  );
  return (
    <Page title={title} heading={heading}>
      {query.isPending && <Loading />}
      {query.error && !task && <Missing error={query.error} retry={() => void query.refetch()} />}
      {task && <Found task={task} />}
    </Page>
  );
}

function Missing({ error, retry }: { error: Error; retry: () => void }) {
  if (error instanceof ApiError && error.status === 404) {
    return (
      <Empty icon="search" title="This task is not in the record">
        It was never reported here, or it is older than what is kept.
      </Empty>
    );
  }
  return <Fault error={error} retry={retry} />;
}

function Found({ task }: { task: TaskDetail }) {
  const hasFailed = task.exception_type !== null || task.traceback !== null;
  return (
    <div data-testid="task" data-state={task.state} className="mx-auto max-w-350 p-3 sm:p-4">
      <div className="mb-3 flex flex-wrap items-center gap-x-3 gap-y-2">
        <StateBadge state={task.state} boxed />
        <h2 className="mono min-w-0 text-base font-semibold break-all">{task.name ?? task.task_id}</h2>
        <div className="ml-auto">
          <TaskActions key={`${task.engine}/${task.task_id}`} task={task} />
        </div>
      </div>
      <div className="grid gap-3 lg:grid-cols-[minmax(0,1fr)_384px]">
        <div className="flex min-w-0 flex-col gap-3">
          <Panel label="State">
            <StatePicture task={task} />
            {task.unknown_since && <Unknown since={task.unknown_since} reason={task.unknown_reason} />}
          </Panel>
          {hasFailed && (
            <Panel title="Exception" aside={task.issue && <IssueLink id={task.issue} />}>
              <TracebackView
                type={task.exception_type}
                message={task.exception_message}
                traceback={task.traceback}
              />
            </Panel>
          )}
          <Panel title="Attempts">
            <Attempts task={task} />
          </Panel>
          <TaskTree task={task} />
          <Arguments task={task} />
          {task.result !== null && task.result !== undefined && (
            <Panel title="Result" aside={<CopyButton text={stringifyExact(task.result, 2)} label="Copy the result" />}>
              <JsonText value={task.result} className="p-2" />
            </Panel>
          )}
          <Panel title="Events">
            <Events task={task} />
          </Panel>
        </div>
        <div className="flex min-w-0 flex-col gap-3">
          <Panel title="Facts">
            <Facts task={task} />
          </Panel>
          <Commands task={task} />
        </div>
      </div>
    </div>
  );
}

/** Nobody knows what becomes of the task: since when, and why. */
function Unknown({ since, reason }: { since: string; reason: string | null }) {
  return (
    <div role="note" data-s="unknown" data-testid="unknown" className="border-t border-line px-3 py-2 sm:px-4">
      <p className="font-medium text-(--s)">
        Unknown since <Exact at={since} />
      </p>
      {reason && <p className="text-ink-2">{reason}</p>}
      <p className="text-xs text-ink-3">If the task is delivered again, or its end becomes known, this page shows it.</p>
    </div>
  );
}

function IssueLink({ id }: { id: string }) {
  const { project } = useProject();
  return (
    <Link
      to="/p/$project/issues/$id"
      params={{ project, id }}
      data-testid="issue-link"
      className="text-accent underline underline-offset-2"
    >
      All failures like this
    </Link>
  );
}

function Arguments({ task }: { task: TaskDetail }) {
  const value = { args: task.args ?? [], kwargs: task.kwargs ?? {} };
  const hasNone = task.args === null && task.kwargs === null;
  return (
    <Panel
      title="Arguments"
      aside={
        <>
          {!task.exact && !hasNone && <span title="Secrets are taken out and long values cut before they leave the worker.">redacted or shortened</span>}
          <CopyButton text={stringifyExact(value, 2)} label="Copy the arguments" />
        </>
      }
    >
      {hasNone ? (
        <p className="p-3 text-ink-3">The arguments were not reported.</p>
      ) : (
        <div className="grid gap-2 p-2" data-testid="arguments">
          <Part name="args" value={value.args} />
          <Part name="kwargs" value={value.kwargs} />
        </div>
      )}
      {!task.exact && !hasNone && <ExactRetryNote retry={task.exact_retry} />}
    </Panel>
  );
}

/** Where a retry would take the real arguments from, or why it cannot. */
function ExactRetryNote({ retry }: { retry: ExactRetry }) {
  return (
    <p
      data-testid="exact-retry"
      data-source={retry.source}
      className="flex gap-2 border-t border-line px-3 py-2 text-xs text-ink-2"
    >
      <Icon
        name={retry.can_be_opened ? "keys" : "alert"}
        className={retry.can_be_opened ? "mt-px text-ink-3" : "mt-px text-warn"}
      />
      <span className="min-w-0 break-words">{retry.text}</span>
    </p>
  );
}

function Part({ name, value }: { name: string; value: unknown }) {
  return (
    <div className="grid grid-cols-[52px_minmax(0,1fr)] items-baseline">
      <span className="label pl-2">{name}</span>
      <JsonText value={value} />
    </div>
  );
}

function Commands({ task }: { task: TaskDetail }) {
  const { project, access } = useProject();
  const commands = useInfiniteQuery({
    ...commandsQuery(project, task.task_id),
    enabled: access.permissions.includes("command.read"),
  });
  const items = commands.data?.pages.flatMap((page) => page.items) ?? [];
  if (items.length === 0) return null;
  return (
    <Panel title="Commands">
      <div>
        {items.map((command) => (
          <CommandRow key={command.id} command={command} compact />
        ))}
        <LoadMore of={commands} />
      </div>
    </Panel>
  );
}
