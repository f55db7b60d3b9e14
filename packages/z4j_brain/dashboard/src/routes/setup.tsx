import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { createFileRoute, redirect, useRouter } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { Gate } from "@/components/gate";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { faultOf, faultOfAll } from "@/lib/faults";
import { sessionQuery, setUp, setupCheckQuery } from "@/services/session";

export const Route = createFileRoute("/setup")({
  validateSearch: (search: Record<string, unknown>): { token?: string } =>
    typeof search.token === "string" && search.token ? { token: search.token } : {},
  beforeLoad: async ({ context }) => {
    const session = await context.queryClient.ensureQueryData(sessionQuery);
    if (!session.setup_needed) throw redirect({ to: "/" });
  },
  component: Setup,
});

const NO_TOKEN = "Open the address that `z4j serve` printed when it started; it holds a token that is good for this one form.";

function Setup() {
  const { token = "" } = Route.useSearch();
  const check = useQuery({ ...setupCheckQuery(token), enabled: token !== "" });
  if (!token) {
    return <Gate title="This z4j is new" lead={NO_TOKEN}>{null}</Gate>;
  }
  if (check.data && !check.data.valid) {
    return (
      <Gate title="This link is not valid" lead={`It was used, is too old, or is not complete. ${NO_TOKEN}`}>
        {null}
      </Gate>
    );
  }
  return <SetupForm token={token} />;
}

const FIELDS = [
  { name: "email", label: "E-mail", type: "email", autoComplete: "username" },
  { name: "name", label: "Name", type: "text", autoComplete: "name" },
  { name: "password", label: "Password", type: "password", autoComplete: "new-password" },
  { name: "project_name", label: "Project", type: "text", autoComplete: "off" },
] as const;
const HINTS: Record<string, string> = {
  password: "At least 15 characters; a few unrelated words do well.",
  project_name: "A project keeps its own tasks, agents and people. You can make more later.",
};

function SetupForm({ token }: { token: string }) {
  const client = useQueryClient();
  const router = useRouter();
  const [form, setForm] = useState({ email: "", name: "", password: "", project_name: "" });
  const send = useMutation({
    mutationFn: setUp,
    onSuccess: async (session) => {
      client.setQueryData(sessionQuery.queryKey, session);
      const project = session.projects[0]?.slug;
      if (project) await router.navigate({ to: "/p/$project/connect", params: { project } });
      else await router.navigate({ to: "/" });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    send.mutate({ token, ...form });
  };
  return (
    <Gate title="Welcome to z4j" lead="Make the first account. It administers this server.">
      <form onSubmit={submit} className="mt-4 flex flex-col gap-3">
        {FIELDS.map(({ name, label, type, autoComplete }, index) => (
          <Field key={name} label={label} hint={HINTS[name]} fault={faultOf(send.error, name)}>
            {(ids) => (
              <Input
                {...ids}
                name={name}
                type={type}
                autoComplete={autoComplete}
                autoFocus={index === 0}
                required
                disabled={send.isPending}
                className="h-8"
                value={form[name]}
                onChange={(event) => setForm({ ...form, [name]: event.target.value })}
              />
            )}
          </Field>
        ))}
        {faultOfAll(send.error) && (
          <p role="alert" className="text-bad">
            {faultOfAll(send.error)}
          </p>
        )}
        <Button type="submit" variant="primary" size="lg" disabled={send.isPending}>
          {send.isPending ? "Setting up …" : "Create account"}
        </Button>
      </form>
    </Gate>
  );
}
