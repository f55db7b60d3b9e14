import { type FormEvent, useId, useMemo, useState } from "react";
import { Button } from "@/components/ui/button";
import { Dialog, DialogBody, DialogFooter } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { faultOf, RemoteFault } from "@/components/ui/remote-fault";
import type { ProjectRules } from "@/services/redaction";
import { nameOf } from "./marked";
import { SampleField, Shown } from "./preview";
import { usePreview } from "./use-preview";
import { useRules } from "./use-rules";

interface PatternDialogProps {
  rules: ProjectRules;
  /** Which pattern is edited; behind the last one it is a new one. */
  at: number;
  onClose: () => void;
}

/** One pattern, with what it costs and what it hides while it is written. */
export function PatternDialog({ rules, at, onClose }: PatternDialogProps) {
  const formId = useId();
  const known = rules.patterns[at];
  const [name, setName] = useState(known?.name ?? "");
  const [pattern, setPattern] = useState(known?.pattern ?? "");
  const [sample, setSample] = useState("");
  const draft = useMemo(() => withPattern(rules, at, name, pattern), [rules, at, name, pattern]);
  const { data, error } = usePreview(sample, draft);
  const { save } = useRules();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate(draft, { onSuccess: onClose });
  };
  const said = (field: "name" | "pattern") =>
    faultOf(save.error, `/patterns/${at}/${field}`) ??
    (pattern ? faultOf(error, `/rules/patterns/${at}/${field}`) : null);
  const cost = pattern && !error ? data?.milliseconds[nameFor(name, at)] : undefined;
  return (
    <Dialog open onClose={onClose} title={known ? `Edit ${known.name}` : "Add a pattern"}>
      <DialogBody>
        <form id={formId} onSubmit={submit} className="flex flex-col gap-3">
          <Field label="Name" hint="What the rule is called in counts." fault={said("name")}>
            {(ids) => (
              <Input
                {...ids}
                required
                maxLength={40}
                autoComplete="off"
                value={name}
                onChange={(event) => setName(nameOf(event.target.value))}
              />
            )}
          </Field>
          <Field
            label="Pattern"
            fault={said("pattern")}
            hint={
              <>
                The syntax of RE2, without look-around and back-references. With a group{" "}
                <span className="mono whitespace-nowrap">{"(?P<secret>…)"}</span> only that is hidden.
              </>
            }
          >
            {(ids) => (
              <Input
                {...ids}
                required
                maxLength={256}
                autoComplete="off"
                spellCheck={false}
                className="mono"
                value={pattern}
                onChange={(event) => setPattern(event.target.value)}
              />
            )}
          </Field>
          {cost !== undefined && data && (
            <p className="text-xs text-ink-2" data-testid="pattern-cost">
              {cost < 0.1 ? "Less than 0.1" : cost.toFixed(1)} ms for a text of 16 KiB;{" "}
              {data.most_milliseconds.toFixed(0)} ms are allowed.
            </p>
          )}
          <SampleField value={sample} onChange={setSample} />
          {sample !== "" && data && !error && <Shown found={data} />}
          <RemoteFault
            error={save.error ?? (pattern && name ? error : null)}
            fields={["", "/rules"].flatMap((root) => [`${root}/patterns/${at}/name`, `${root}/patterns/${at}/pattern`])}
          />
        </form>
      </DialogBody>
      <DialogFooter>
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" form={formId} variant="primary" disabled={save.isPending || !name || !pattern}>
          {save.isPending ? "Storing …" : known ? "Store the change" : "Add the pattern"}
        </Button>
      </DialogFooter>
    </Dialog>
  );
}

/** A draft without a name yet is tried under one. */
const nameFor = (name: string, at: number): string => name || `draft-${at}`;

function withPattern(rules: ProjectRules, at: number, name: string, pattern: string): ProjectRules {
  const patterns = [...rules.patterns];
  if (pattern) patterns[at] = { name: nameFor(name, at), pattern, enabled: rules.patterns[at]?.enabled ?? true };
  return { ...rules, patterns };
}
