import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { createFileRoute, redirect, useRouter } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { Gate } from "@/components/gate";
import { PasskeyButton } from "@/components/sign-in/passkey-button";
import { ProviderButton } from "@/components/sign-in/provider-button";
import { SecondStepForm } from "@/components/sign-in/second-step-form";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { appRoot } from "@/lib/app-root";
import { safeNext } from "@/lib/url-state";
import { canUsePasskeys } from "@/lib/webauthn";
import { type Session, sessionQuery, signIn } from "@/services/session";

export const Route = createFileRoute("/sign-in")({
  validateSearch: (search: Record<string, unknown>): { next?: string } => {
    const next = safeNext(search.next);
    return next ? { next } : {};
  },
  beforeLoad: async ({ context }) => {
    const session = await context.queryClient.ensureQueryData(sessionQuery);
    if (session.setup_needed) throw redirect({ to: "/setup" });
    if (session.user) throw redirect({ to: "/" });
  },
  component: SignIn,
});

function SignIn() {
  const { next } = Route.useSearch();
  const client = useQueryClient();
  const { data: offered } = useQuery(sessionQuery);
  const router = useRouter();
  const { provider, by_password } = offered ?? { provider: null, by_password: true };
  const [form, setForm] = useState({ email: "", password: "" });
  const enter = async (session: Session) => {
    client.clear();
    client.setQueryData(sessionQuery.queryKey, session);
    if (next) router.history.push(`${appRoot()}${next}`);
    else await router.navigate({ to: "/" });
  };
  const send = useMutation({
    mutationFn: signIn,
    onSuccess: async (session) => {
      if (session.user) await enter(session);
    },
  });
  const secondStep = send.data?.second_step;
  if (secondStep) {
    const back = () => {
      setForm({ ...form, password: "" });
      send.reset();
    };
    return (
      <SecondStepForm
        secondStep={secondStep}
        ways={send.data?.second_step_ways ?? []}
        onSignedIn={(session) => void enter(session)}
        onBack={back}
      />
    );
  }
  if (provider && !by_password) {
    return (
      <Gate title="Sign in">
        <div className="mt-4">
          <ProviderButton name={provider} next={next} />
        </div>
      </Gate>
    );
  }
  const submit = (event: FormEvent) => {
    event.preventDefault();
    send.mutate(form);
  };
  return (
    <Gate title="Sign in">
      <form onSubmit={submit} className="mt-4 flex flex-col gap-3">
        <Field label="E-mail">
          {(ids) => (
            <Input
              {...ids}
              type="email"
              name="email"
              autoComplete="username"
              autoFocus
              required
              value={form.email}
              onChange={(event) => setForm({ ...form, email: event.target.value })}
              className="h-8"
            />
          )}
        </Field>
        <Field label="Password">
          {(ids) => (
            <Input
              {...ids}
              type="password"
              name="password"
              autoComplete="current-password"
              required
              value={form.password}
              onChange={(event) => setForm({ ...form, password: event.target.value })}
              className="h-8"
            />
          )}
        </Field>
        {send.error && (
          <p role="alert" className="text-bad">
            {send.error.message}
          </p>
        )}
        <Button type="submit" variant="primary" size="lg" disabled={send.isPending}>
          {send.isPending ? "Signing in …" : "Sign in"}
        </Button>
        {provider && <ProviderButton name={provider} next={next} variant="outline" />}
      </form>
      {offered?.passkeys && canUsePasskeys() && (
        <div className="mt-3 flex flex-col border-t border-line pt-3">
          <PasskeyButton secondStep={null} onSignedIn={(session) => void enter(session)} />
        </div>
      )}
    </Gate>
  );
}
