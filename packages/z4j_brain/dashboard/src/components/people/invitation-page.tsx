import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useRouter } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { Gate } from "@/components/gate";
import { ProviderButton } from "@/components/sign-in/provider-button";
import { Button, buttonVariants } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Loading } from "@/components/ui/note";
import { faultOf, RemoteFault } from "@/components/ui/remote-fault";
import { setCsrfToken } from "@/services/http";
import { acceptInvitation, checkInvitation, type InvitationCheck, signUp } from "@/services/people";
import { type Session, sessionQuery } from "@/services/session";
import { forgetToken, takeToken } from "./invitation-token";
import { ROLE_TEXT } from "./roles";

/** Where the link of an invitation leads: to a new account, or to a button for one that there is. */
export function InvitationPage() {
  const [token] = useState(takeToken);
  const session = useQuery(sessionQuery);
  const check = useQuery({
    queryKey: ["invitation", token],
    queryFn: () => checkInvitation(token),
    enabled: token !== "",
    retry: false,
  });
  if (!token || check.error) {
    return (
      <Gate title="This link does not work" lead={check.error?.message ?? "Open the whole link that you were given."}>
        {null}
      </Gate>
    );
  }
  if (!check.data || !session.data) return <Gate title="Invitation">{<Loading rows={3} />}</Gate>;
  const found = check.data;
  const user = session.data.user;
  if (user && user.email === found.email) return <Accept token={token} found={found} />;
  if (user) {
    return (
      <Gate title="For somebody else" lead={`This invitation is for ${found.email}; you are ${user.email}. Sign out, then open it again.`}>
        {null}
      </Gate>
    );
  }
  if (found.has_account) {
    return (
      <Gate title={`Join ${found.project}`} lead={`Sign in as ${found.email} to accept.`}>
        <Link to="/sign-in" search={{ next: "/invitation" }} className={buttonVariants({ variant: "primary", size: "lg", className: "mt-4 w-full" })}>
          Sign in
        </Link>
      </Gate>
    );
  }
  const { provider, by_password } = session.data;
  if (provider && !by_password) {
    return (
      <Gate title={`Join ${found.project}`} lead={`${lead(found)} Sign in as ${found.email}.`}>
        <div className="mt-4">
          <ProviderButton name={provider} />
        </div>
      </Gate>
    );
  }
  return <SignUp token={token} found={found} provider={provider} />;
}

function useEntered(): (session: Session) => Promise<void> {
  const client = useQueryClient();
  const router = useRouter();
  return async (session) => {
    forgetToken();
    client.clear();
    setCsrfToken(session.csrf_token);
    client.setQueryData(sessionQuery.queryKey, session);
    await router.navigate({ to: "/" });
  };
}

const lead = ({ role }: InvitationCheck) => `As ${role}: ${ROLE_TEXT[role]}.`;

function Accept({ token, found }: { token: string; found: InvitationCheck }) {
  const entered = useEntered();
  const send = useMutation({ mutationFn: () => acceptInvitation(token), onSuccess: entered });
  return (
    <Gate title={`Join ${found.project}`} lead={lead(found)}>
      <div className="mt-4 flex flex-col gap-3">
        <RemoteFault error={send.error} />
        <Button variant="primary" size="lg" disabled={send.isPending} onClick={() => send.mutate()}>
          Join as {found.email}
        </Button>
      </div>
    </Gate>
  );
}

function SignUp({ token, found, provider }: { token: string; found: InvitationCheck; provider: string | null }) {
  const entered = useEntered();
  const [form, setForm] = useState({ name: "", password: "" });
  const send = useMutation({ mutationFn: () => signUp({ token, ...form }), onSuccess: entered });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    send.mutate();
  };
  return (
    <Gate title={`Join ${found.project}`} lead={lead(found)}>
      <form onSubmit={submit} className="mt-4 flex flex-col gap-3">
        <Field label="E-mail">
          {(ids) => <Input {...ids} type="email" autoComplete="username" readOnly className="h-8" value={found.email} />}
        </Field>
        <Field label="Name" fault={faultOf(send.error, "/name")}>
          {(ids) => (
            <Input
              {...ids}
              name="name"
              autoComplete="name"
              autoFocus
              required
              className="h-8"
              value={form.name}
              onChange={(event) => setForm({ ...form, name: event.target.value })}
            />
          )}
        </Field>
        <Field
          label="Password"
          hint="At least 15 characters; a few unrelated words do well."
          fault={faultOf(send.error, "/password")}
        >
          {(ids) => (
            <Input
              {...ids}
              type="password"
              name="password"
              autoComplete="new-password"
              required
              className="h-8"
              value={form.password}
              onChange={(event) => setForm({ ...form, password: event.target.value })}
            />
          )}
        </Field>
        <RemoteFault error={send.error} fields={["/name", "/password"]} />
        <Button type="submit" variant="primary" size="lg" disabled={send.isPending}>
          {send.isPending ? "Joining …" : "Create account and join"}
        </Button>
        {provider && <ProviderButton name={provider} variant="outline" />}
      </form>
    </Gate>
  );
}
