import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useRouter } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Panel } from "@/components/ui/panel";
import { faultOf, faultOfAll } from "@/lib/faults";
import { accountKeys, changePassword } from "@/services/account";
import { sessionQuery } from "@/services/session";

const HINT = "At least 15 characters; a few unrelated words do well.";

export function PasswordForm({ email, isChanged }: { email: string; isChanged: boolean }) {
  const client = useQueryClient();
  const router = useRouter();
  const navigate = useNavigate();
  const [form, setForm] = useState({ current_password: "", new_password: "" });
  const send = useMutation({
    mutationFn: changePassword,
    onSuccess: async (fresh) => {
      client.setQueryData(sessionQuery.queryKey, fresh);
      await navigate({ to: "/account", search: (former) => ({ ...former, changed: "yes" }) });
      await router.invalidate();
      await client.invalidateQueries({ queryKey: accountKeys.sessions });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    send.mutate(form);
  };
  return (
    <Panel title="Password">
      <form onSubmit={submit} className="flex max-w-96 flex-col gap-3 p-3">
        <input type="email" name="email" autoComplete="username" readOnly hidden value={email} />
        <Field label="Present password" fault={faultOf(send.error, "current_password")}>
          {(ids) => (
            <Input
              {...ids}
              type="password"
              autoComplete="current-password"
              required
              value={form.current_password}
              onChange={(event) => setForm({ ...form, current_password: event.target.value })}
            />
          )}
        </Field>
        <Field label="New password" hint={HINT} fault={faultOf(send.error, "new_password")}>
          {(ids) => (
            <Input
              {...ids}
              type="password"
              autoComplete="new-password"
              required
              value={form.new_password}
              onChange={(event) => setForm({ ...form, new_password: event.target.value })}
            />
          )}
        </Field>
        {faultOfAll(send.error) && (
          <p role="alert" className="text-bad">
            {faultOfAll(send.error)}
          </p>
        )}
        {isChanged && !send.error && (
          <p role="status" className="text-good">
            The password is changed. You are signed out everywhere else.
          </p>
        )}
        <div className="flex items-center gap-3">
          <Button type="submit" variant="primary" disabled={send.isPending}>
            {send.isPending ? "Changing …" : "Change password"}
          </Button>
          <span className="text-xs text-ink-3">Signs out everywhere else.</span>
        </div>
      </form>
    </Panel>
  );
}
