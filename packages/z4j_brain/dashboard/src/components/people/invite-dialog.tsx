import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useId, useState } from "react";
import { CopyBlock } from "@/components/connect/copy-block";
import { Button } from "@/components/ui/button";
import { Dialog, DialogBody, DialogFooter } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Input, Select } from "@/components/ui/input";
import { faultOf, RemoteFault } from "@/components/ui/remote-fault";
import { useProject } from "@/hooks/use-project";
import { invite, peopleKeys, type Role, ROLES } from "@/services/people";
import { ROLE_TEXT } from "./roles";

const ENDS = [
  { hours: 24, label: "1 day" },
  { hours: 168, label: "7 days" },
  { hours: 720, label: "30 days" },
];

/** Makes an invitation and shows its link, once. */
export function InviteDialog({ onClose }: { onClose: () => void }) {
  const { project, access } = useProject();
  const client = useQueryClient();
  const formId = useId();
  const [form, setForm] = useState<{ email: string; role: Role; valid_hours: number }>({
    email: "",
    role: "viewer",
    valid_hours: 168,
  });
  const send = useMutation({
    mutationFn: () => invite(project, form),
    onSuccess: () => client.invalidateQueries({ queryKey: peopleKeys.invitations(project) }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    send.mutate();
  };
  return (
    <Dialog open onClose={onClose} title={`Invite somebody to ${access.name}`}>
      <DialogBody>
        {send.data ? (
          <>
            <CopyBlock label="Link of the invitation" text={send.data.url} />
            <p className="text-ink-2">
              <strong className="font-medium text-warn">Copy it now.</strong> The link is shown this once and works
              once, for {form.email}. z4j sends no mail: give it to them yourself.
            </p>
          </>
        ) : (
          <form id={formId} onSubmit={submit} className="flex flex-col gap-3">
            <Field label="E-mail" fault={faultOf(send.error, "/email")}>
              {(ids) => (
                <Input
                  {...ids}
                  type="email"
                  name="email"
                  autoComplete="off"
                  required
                  value={form.email}
                  onChange={(event) => setForm({ ...form, email: event.target.value })}
                />
              )}
            </Field>
            <Field label="Role" hint={`${form.role} ${ROLE_TEXT[form.role]}.`}>
              {(ids) => (
                <Select
                  {...ids}
                  name="role"
                  value={form.role}
                  onChange={(event) => setForm({ ...form, role: event.target.value as Role })}
                >
                  {ROLES.map((role) => (
                    <option key={role}>{role}</option>
                  ))}
                </Select>
              )}
            </Field>
            <Field label="The link works for">
              {(ids) => (
                <Select
                  {...ids}
                  value={form.valid_hours}
                  onChange={(event) => setForm({ ...form, valid_hours: Number(event.target.value) })}
                >
                  {ENDS.map(({ hours, label }) => (
                    <option key={hours} value={hours}>
                      {label}
                    </option>
                  ))}
                </Select>
              )}
            </Field>
            <RemoteFault error={send.error} fields={["/email"]} />
          </form>
        )}
      </DialogBody>
      <DialogFooter>
        <Button onClick={onClose}>Close</Button>
        {!send.data && (
          <Button type="submit" form={formId} variant="primary" disabled={send.isPending}>
            {send.isPending ? "Inviting …" : "Make the link"}
          </Button>
        )}
      </DialogFooter>
    </Dialog>
  );
}
