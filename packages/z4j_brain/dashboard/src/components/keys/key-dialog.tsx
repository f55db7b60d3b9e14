import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useId, useState } from "react";
import { CopyBlock } from "@/components/connect/copy-block";
import { Button } from "@/components/ui/button";
import { Dialog, DialogBody, DialogFooter } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Input, Select } from "@/components/ui/input";
import { faultOf, RemoteFault } from "@/components/ui/remote-fault";
import { useProject } from "@/hooks/use-project";
import { createKey, keyKeys } from "@/services/keys";
import { networksOf } from "./merged";

const ENDS = [
  { days: 7, label: "7 days" },
  { days: 90, label: "90 days" },
  { days: 365, label: "1 year" },
  { days: 0, label: "no end" },
];
const FIELDS = ["/name", "/scopes", "/networks"];

/** Makes a key for this project and shows it, once. */
export function KeyDialog({ onClose }: { onClose: () => void }) {
  const { project, access } = useProject();
  const client = useQueryClient();
  const formId = useId();
  const [form, setForm] = useState({ name: "", days: 90, networks: "" });
  const [scopes, setScopes] = useState<ReadonlySet<string>>(
    () => new Set(access.permissions.filter((name) => name.endsWith(".read"))),
  );
  const send = useMutation({
    mutationFn: () =>
      createKey({
        name: form.name,
        project,
        scopes: [...scopes],
        networks: networksOf(form.networks),
        expires_days: form.days || null,
      }),
    onSuccess: () => client.invalidateQueries({ queryKey: keyKeys.own }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    send.mutate();
  };
  const toggle = (name: string) => {
    const next = new Set(scopes);
    if (!next.delete(name)) next.add(name);
    setScopes(next);
  };
  return (
    <Dialog open onClose={onClose} title={`New API key for ${access.name}`}>
      <DialogBody>
        {send.data ? (
          <>
            <CopyBlock label="The API key" text={send.data.key} />
            <p className="text-ink-2">
              <strong className="font-medium text-warn">Copy it now.</strong> The key is shown this once. Send it as{" "}
              <span className="mono">Authorization: Bearer</span>, never in an address.
            </p>
          </>
        ) : (
          <form id={formId} onSubmit={submit} className="flex flex-col gap-3">
            <Field label="Name" hint="What uses it, such as deploy-bot." fault={faultOf(send.error, "/name")}>
              {(ids) => (
                <Input
                  {...ids}
                  name="name"
                  autoComplete="off"
                  required
                  maxLength={100}
                  value={form.name}
                  onChange={(event) => setForm({ ...form, name: event.target.value })}
                />
              )}
            </Field>
            <fieldset>
              <legend className="mb-1 text-xs font-medium text-ink-2">Scopes</legend>
              <div className="grid grid-cols-1 gap-x-3 sm:grid-cols-2">
                {access.permissions.map((name) => (
                  <label key={name} className="flex min-h-6 items-center gap-2">
                    <input type="checkbox" checked={scopes.has(name)} onChange={() => toggle(name)} />
                    <span className="mono text-xs">{name}</span>
                  </label>
                ))}
              </div>
              {faultOf(send.error, "/scopes") && <p className="text-xs text-bad">{faultOf(send.error, "/scopes")}</p>}
            </fieldset>
            <Field label="It works for">
              {(ids) => (
                <Select
                  {...ids}
                  value={form.days}
                  onChange={(event) => setForm({ ...form, days: Number(event.target.value) })}
                >
                  {ENDS.map(({ days, label }) => (
                    <option key={days} value={days}>
                      {label}
                    </option>
                  ))}
                </Select>
              )}
            </Field>
            <Field
              label="Only from"
              optional
              hint="Addresses or networks such as 192.0.2.0/24, separated by commas. Empty is from anywhere."
              fault={faultOf(send.error, "/networks")}
            >
              {(ids) => (
                <Input
                  {...ids}
                  autoComplete="off"
                  className="mono"
                  value={form.networks}
                  onChange={(event) => setForm({ ...form, networks: event.target.value })}
                />
              )}
            </Field>
            <RemoteFault error={send.error} fields={FIELDS} />
          </form>
        )}
      </DialogBody>
      <DialogFooter>
        <Button onClick={onClose}>Close</Button>
        {!send.data && (
          <Button type="submit" form={formId} variant="primary" disabled={send.isPending || scopes.size === 0}>
            {send.isPending ? "Making …" : "Make the key"}
          </Button>
        )}
      </DialogFooter>
    </Dialog>
  );
}
