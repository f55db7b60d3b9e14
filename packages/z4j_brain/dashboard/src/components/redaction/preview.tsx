import { useState } from "react";
import { Field } from "@/components/ui/field";
import { Textarea } from "@/components/ui/input";
import { RemoteFault } from "@/components/ui/remote-fault";
import { MOST_PREVIEWED, type Previewed, type ProjectRules } from "@/services/redaction";
import { count } from "@/time/format";
import { parts } from "./marked";
import { usePreview } from "./use-preview";

/** Any text, as it would be stored under the project's rules. */
export function TryIt({ rules }: { rules: ProjectRules }) {
  const [text, setText] = useState("");
  const { data, error } = usePreview(text, rules);
  return (
    <div className="flex flex-col gap-2 p-3">
      <SampleField value={text} onChange={setText} />
      {text !== "" && data && <Shown found={data} />}
      <RemoteFault error={error} />
    </div>
  );
}

export function SampleField({ value, onChange }: { value: string; onChange: (text: string) => void }) {
  return (
    <Field label="Text to try" optional hint="A message, JSON or a traceback. It is not stored or logged.">
      {(ids) => (
        <Textarea
          {...ids}
          rows={5}
          maxLength={MOST_PREVIEWED}
          autoComplete="off"
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

export function Shown({ found }: { found: Previewed }) {
  const counted = Object.entries(found.redactions);
  return (
    <div className="min-w-0" data-testid="redaction-preview">
      <pre className="max-h-72 overflow-y-auto rounded-md bg-code px-3 py-2 leading-4.5 break-words whitespace-pre-wrap">
        {parts(found.text).map((part, index) =>
          part.isMask ? (
            <mark key={index} className="rounded-sm bg-accent-soft px-0.5 font-medium text-accent">
              {part.text}
            </mark>
          ) : (
            part.text
          ),
        )}
      </pre>
      <p role="status" className="mt-1 text-xs text-ink-2">
        {counted.length === 0
          ? "Nothing is taken out."
          : counted.map(([rule, number]) => `${rule} ${count(number)}×`).join(", ")}
      </p>
    </div>
  );
}
