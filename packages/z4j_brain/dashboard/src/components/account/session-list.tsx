import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Ago } from "@/components/time";
import { Button } from "@/components/ui/button";
import { Fault, Loading } from "@/components/ui/note";
import { Panel } from "@/components/ui/panel";
import { accountKeys, endOtherSessions, endSession, type OwnSession, ownSessionsQuery } from "@/services/account";
import { browserName } from "./browser-name";

export function SessionList() {
  const list = useQuery(ownSessionsQuery);
  const client = useQueryClient();
  const refresh = () => client.invalidateQueries({ queryKey: accountKeys.sessions });
  const endOne = useMutation({ mutationFn: endSession, onSettled: refresh });
  const endOthers = useMutation({ mutationFn: endOtherSessions, onSettled: refresh });
  const others = list.data?.items.filter((session) => !session.is_current).length ?? 0;
  return (
    <Panel
      title="Where you are signed in"
      aside={
        others > 0 && (
          <Button size="sm" disabled={endOthers.isPending} onClick={() => endOthers.mutate()}>
            Sign out everywhere else
          </Button>
        )
      }
    >
      {list.isPending && <Loading rows={3} />}
      {list.error && <Fault error={list.error} retry={() => void list.refetch()} />}
      {(endOne.error ?? endOthers.error) && <Fault error={endOne.error ?? endOthers.error} />}
      <ul className="divide-y divide-line" data-testid="sessions">
        {list.data?.items.map((session) => (
          <SessionRow key={session.id} session={session} isBusy={endOne.isPending} onEnd={() => endOne.mutate(session.id)} />
        ))}
      </ul>
    </Panel>
  );
}

function SessionRow({ session, isBusy, onEnd }: { session: OwnSession; isBusy: boolean; onEnd: () => void }) {
  const name = browserName(session.user_agent);
  return (
    <li className="flex items-center gap-3 px-3 py-2">
      <div className="min-w-0 flex-1">
        <p className="truncate" title={session.user_agent ?? undefined}>
          {name}
          {session.is_current && <span className="ml-2 text-xs font-medium text-good">this browser</span>}
        </p>
        <p className="truncate text-xs text-ink-3">
          {session.address ?? "unknown address"} · used <Ago at={session.seen_at} /> · signed in{" "}
          <Ago at={session.created_at} />
        </p>
      </div>
      {!session.is_current && (
        <Button variant="danger" size="sm" disabled={isBusy} aria-label={`End the session of ${name}`} onClick={onEnd}>
          End
        </Button>
      )}
    </li>
  );
}
