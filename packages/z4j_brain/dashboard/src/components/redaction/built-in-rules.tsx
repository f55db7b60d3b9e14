import { Panel } from "@/components/ui/panel";
import type { Redaction } from "@/services/redaction";
import { count } from "@/time/format";
import { Taken } from "./key-rules";

/** What is always hidden, here and in the agents; nobody can switch it off. */
export function BuiltInRules({ stored }: { stored: Redaction }) {
  return (
    <Panel title="Built-in rules" aside={`${count(stored.built_in.length)}, always in force`}>
      <ul aria-label="Built-in rules">
        {stored.built_in.map((rule) => (
          <li
            key={rule.name}
            className="flex flex-wrap items-baseline gap-x-3 border-b border-line/60 px-3 py-1 last:border-b-0"
          >
            <span className="mono w-36 shrink-0 text-xs">{rule.name}</span>
            <span className="min-w-0 flex-1 basis-48 text-ink-2">{rule.what}</span>
            <span className="text-xs text-ink-3">
              <Taken number={stored.counts[rule.name]} />
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
