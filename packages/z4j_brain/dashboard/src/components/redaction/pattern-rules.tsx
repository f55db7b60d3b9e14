import { useState } from "react";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { Icon } from "@/components/ui/icon";
import { Panel } from "@/components/ui/panel";
import { RemoteFault } from "@/components/ui/remote-fault";
import { useProject } from "@/hooks/use-project";
import { type PatternRule, type Redaction, redactionKeys, replaceRules } from "@/services/redaction";
import { Taken } from "./key-rules";
import { PatternDialog } from "./pattern-dialog";
import { useRules } from "./use-rules";

/** The project's patterns: each can be edited, switched off and removed. */
export function PatternRules({ stored }: { stored: Redaction }) {
  const { project } = useProject();
  const { save } = useRules();
  const { rules } = stored;
  const [open, setOpen] = useState<{ at: number } | null>(null);
  const [leaving, setLeaving] = useState<PatternRule | null>(null);
  const toggle = (rule: PatternRule) =>
    save.mutate({
      ...rules,
      patterns: rules.patterns.map((one) => (one === rule ? { ...one, enabled: !one.enabled } : one)),
    });
  return (
    <Panel
      title="Patterns"
      aside={
        <Button size="sm" onClick={() => setOpen({ at: rules.patterns.length })}>
          <Icon name="plus" className="size-3.5" />
          Add a pattern
        </Button>
      }
    >
      {rules.patterns.length === 0 && (
        <p className="p-3 text-ink-2">
          No pattern of your own yet. One hides what it matches in arguments, results, messages and tracebacks, such as{" "}
          <span className="mono">{"\\bST-[0-9]{4}\\b"}</span> for staff numbers.
        </p>
      )}
      <ul aria-label="Patterns">
        {rules.patterns.map((rule, at) => (
          <li
            key={rule.name}
            className="flex min-h-9 flex-wrap items-center gap-x-3 gap-y-1 border-b border-line/60 px-3 py-1.5 last:border-b-0"
          >
            <input
              type="checkbox"
              role="switch"
              aria-label={`Pattern ${rule.name} is in force`}
              checked={rule.enabled}
              disabled={save.isPending}
              onChange={() => toggle(rule)}
            />
            <div className="min-w-0 flex-1 basis-36">
              <p>
                <span className="font-medium">{rule.name}</span>
                {!rule.enabled && <span className="text-ink-3"> switched off</span>}
              </p>
              <p className="mono text-xs break-all text-ink-2">{rule.pattern}</p>
            </div>
            <div className="ml-auto flex items-center gap-2">
              <span className="text-xs text-ink-3">
                <Taken number={stored.counts[rule.name]} />
              </span>
              <Button size="sm" aria-label={`Edit ${rule.name}`} onClick={() => setOpen({ at })}>
                Edit
              </Button>
              <Button size="sm" variant="danger" aria-label={`Remove ${rule.name}`} onClick={() => setLeaving(rule)}>
                Remove
              </Button>
            </div>
          </li>
        ))}
      </ul>
      {save.error && (
        <div className="px-3 pb-3">
          <RemoteFault error={save.error} />
        </div>
      )}
      {open && <PatternDialog rules={rules} at={open.at} onClose={() => setOpen(null)} />}
      {leaving && (
        <ConfirmDialog
          title={`Remove ${leaving.name}`}
          act={`Remove ${leaving.name}`}
          run={() => replaceRules(project, { ...rules, patterns: rules.patterns.filter((one) => one !== leaving) })}
          stale={[redactionKeys.rules(project)]}
          onClose={() => setLeaving(null)}
        >
          <p>
            What it matches will be stored and shown from now on. What was hidden before stays hidden. To stop it for a
            while, switch it off instead.
          </p>
        </ConfirmDialog>
      )}
    </Panel>
  );
}
