import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Button } from "@/components/ui/button";
import { Icon } from "@/components/ui/icon";
import { Menu } from "@/components/ui/menu";
import { useProject } from "@/hooks/use-project";
import { decideIssue, type IssueDetail, issueKeys, type NewDecision } from "@/services/issues";

const HOUR_S = 3_600;
const MUTES: [string, NewDecision][] = [
  ["For an hour", { decision: "muted", for_s: HOUR_S }],
  ["For a day", { decision: "muted", for_s: 24 * HOUR_S }],
  ["For a week", { decision: "muted", for_s: 7 * 24 * HOUR_S }],
  ["Until 10 more failures", { decision: "muted", more: 10 }],
  ["Until 100 more failures", { decision: "muted", more: 100 }],
  ["For good", { decision: "muted" }],
];

/** Resolve, mute, open again: what is taken back by another of them, so nothing is asked. */
export function DecideButtons({ issue }: { issue: IssueDetail }) {
  const { project, access } = useProject();
  const client = useQueryClient();
  const decide = useMutation({
    mutationFn: (body: NewDecision) => decideIssue(project, issue.id, body),
    onSuccess: (next) => {
      client.setQueryData(issueKeys.detail(project, issue.id), next);
      void client.invalidateQueries({ queryKey: issueKeys.lists(project) });
      void client.invalidateQueries({ queryKey: ["overview", project] });
    },
  });
  const mayDecide = access.permissions.includes("issue.decide");
  const reason = mayDecide ? undefined : "Your role may not decide about issues.";
  const common = { disabled: !mayDecide || decide.isPending, title: reason };
  return (
    <div className="flex flex-wrap items-center gap-2">
      {decide.error && (
        <span role="alert" className="text-bad">
          {decide.error.message}
        </span>
      )}
      {issue.state !== "open" && (
        <Button {...common} onClick={() => decide.mutate({ decision: "open" })}>
          <Icon name="retry" className="size-3.5" />
          Open again
        </Button>
      )}
      {issue.state === "open" && (
        <Menu
          label="Mute"
          button={common}
          trigger={
            <>
              <Icon name="pause" className="size-3.5" />
              Mute
              <Icon name="down" className="size-3" />
            </>
          }
          items={MUTES.map(([label, body]) => ({ label, onSelect: () => decide.mutate(body) }))}
        />
      )}
      {issue.state !== "resolved" && (
        <Button {...common} variant="primary" onClick={() => decide.mutate({ decision: "resolved" })}>
          <Icon name="check" className="size-3.5" />
          Resolve
        </Button>
      )}
    </div>
  );
}
