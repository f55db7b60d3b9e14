import { Page } from "@/components/shell/page";
import { Ago } from "@/components/time";
import { Icon } from "@/components/ui/icon";
import { Fault, Loading } from "@/components/ui/note";
import { Panel } from "@/components/ui/panel";
import type { Redaction } from "@/services/redaction";
import { BuiltInRules } from "./built-in-rules";
import { KeyRules, Taken } from "./key-rules";
import { PatternRules } from "./pattern-rules";
import { TryIt } from "./preview";
import { useRules } from "./use-rules";

/** What the project hides beyond the built-in rules, and a text to try it on. */
export function RedactionPage() {
  const { query } = useRules();
  return (
    <Page title="Redaction">
      {query.isPending && <Loading rows={12} />}
      {query.error && <Fault error={query.error} retry={() => void query.refetch()} />}
      {query.data && <Rules stored={query.data} />}
    </Page>
  );
}

function Rules({ stored }: { stored: Redaction }) {
  return (
    <div className="flex max-w-7xl flex-col gap-3 p-3 sm:p-4">
      {stored.fault && <Closed fault={stored.fault} />}
      <p className="text-ink-2">
        Secrets are taken out in the agents and again here, before anything is stored. These rules come on top, for this
        project; they change nothing that is stored already.{" "}
        {stored.changed_at && (
          <>
            Changed <Ago at={stored.changed_at} />
            {stored.changed_by && ` by ${stored.changed_by}`}.
          </>
        )}{" "}
        Counts are those of this server since <Ago at={stored.counted_since} />.
      </p>
      <div className="grid items-start gap-3 lg:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
        <div className="flex min-w-0 flex-col gap-3">
          <PatternRules stored={stored} />
          <KeyRules stored={stored} />
          <Emails stored={stored} />
        </div>
        <Panel title="Try it">
          <TryIt rules={stored.rules} />
        </Panel>
      </div>
      <BuiltInRules stored={stored} />
    </div>
  );
}

function Emails({ stored }: { stored: Redaction }) {
  const { save } = useRules();
  const { rules, emails_everywhere: isForced } = stored;
  return (
    <Panel title="E-mail addresses" aside={<Taken number={stored.counts.email} />}>
      <label className="flex min-h-9 items-center gap-2 px-3 py-1.5">
        <input
          type="checkbox"
          role="switch"
          checked={rules.emails || isForced}
          disabled={isForced || save.isPending}
          onChange={() => save.mutate({ ...rules, emails: !rules.emails })}
        />
        <span>
          Hide e-mail addresses
          {isForced && <span className="text-ink-3"> – on for every project of this server (Z4J_REDACT_EMAILS)</span>}
        </span>
      </label>
      {save.error && <Fault error={save.error} />}
    </Panel>
  );
}

function Closed({ fault }: { fault: string }) {
  return (
    <div role="alert" className="flex items-start gap-2 rounded-md border border-bad/40 bg-bad/8 px-3 py-2">
      <Icon name="alert" className="mt-0.5 text-bad" />
      <div className="min-w-0">
        <p className="font-medium">The stored rules cannot be used</p>
        <p className="text-ink-2">
          So that nothing slips through, all arguments, results, messages and tracebacks of this project are hidden until
          the rules are put right. {fault}
        </p>
      </div>
    </div>
  );
}
