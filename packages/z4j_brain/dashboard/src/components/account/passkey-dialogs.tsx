import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { Button } from "@/components/ui/button";
import { Dialog, DialogBody, DialogFooter } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { faultOf, faultOfAll } from "@/lib/faults";
import { accountKeys } from "@/services/account";
import { addPasskey, type Passkey, removePasskey } from "@/services/passkeys";
import { sessionQuery } from "@/services/session";
import { browserName } from "./browser-name";
import { PasswordQuestion } from "./password-question";
import { RecoveryCodes } from "./recovery-codes";

function useRefresh(): () => Promise<void> {
  const client = useQueryClient();
  return async () => {
    await client.invalidateQueries({ queryKey: accountKeys.all });
    await client.invalidateQueries({ queryKey: sessionQuery.queryKey });
  };
}

export function AddPasskeyDialog({ onClose }: { onClose: () => void }) {
  const refresh = useRefresh();
  const [form, setForm] = useState({ name: browserName(navigator.userAgent), password: "" });
  const add = useMutation({
    mutationFn: addPasskey,
    onSuccess: async ({ recovery_codes }) => {
      if (!recovery_codes.length) onClose();
      await refresh();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    add.mutate(form);
  };
  return (
    <Dialog open onClose={onClose} title="Add a passkey">
      {add.data?.recovery_codes.length ? (
        <RecoveryCodes codes={add.data.recovery_codes} onClose={onClose} />
      ) : (
        <form onSubmit={submit} className="flex min-h-0 flex-col">
          <DialogBody>
            <Field label="Name" hint="For you to tell it from others." fault={faultOf(add.error, "name")}>
              {(ids) => (
                <Input
                  {...ids}
                  name="passkey-name"
                  autoComplete="off"
                  maxLength={100}
                  required
                  value={form.name}
                  onChange={(event) => setForm({ ...form, name: event.target.value })}
                />
              )}
            </Field>
            <Field label="Your password" fault={faultOf(add.error, "password")}>
              {(ids) => (
                <Input
                  {...ids}
                  type="password"
                  autoComplete="current-password"
                  required
                  value={form.password}
                  onChange={(event) => setForm({ ...form, password: event.target.value })}
                />
              )}
            </Field>
            {(faultOfAll(add.error) ?? faultOf(add.error, "credential")) && (
              <p role="alert" className="text-bad">
                {faultOfAll(add.error) ?? faultOf(add.error, "credential")}
              </p>
            )}
          </DialogBody>
          <DialogFooter>
            <Button onClick={onClose}>Cancel</Button>
            <Button type="submit" variant="primary" disabled={add.isPending}>
              {add.isPending ? "Waiting for the device …" : "Go on"}
            </Button>
          </DialogFooter>
        </form>
      )}
    </Dialog>
  );
}

export function RemovePasskeyDialog({ passkey, onClose }: { passkey: Passkey; onClose: () => void }) {
  const refresh = useRefresh();
  const remove = useMutation({
    mutationFn: removePasskey,
    onSuccess: async () => {
      onClose();
      await refresh();
    },
  });
  return (
    <Dialog open onClose={onClose} title={`Remove ${passkey.name}`}>
      <PasswordQuestion
        action="Remove"
        variant="alarm"
        error={remove.error}
        isPending={remove.isPending}
        onPassword={(password) => remove.mutate({ id: passkey.id, password })}
        onClose={onClose}
      >
        Nobody can sign in with it any more. Delete it on the device, too: z4j cannot.
      </PasswordQuestion>
    </Dialog>
  );
}
