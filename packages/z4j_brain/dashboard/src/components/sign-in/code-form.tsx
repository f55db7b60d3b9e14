import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { Gate } from "@/components/gate";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { faultOf, faultOfAll } from "@/lib/faults";
import { type Session, signInByCode } from "@/services/session";

interface CodeFormProps {
  secondStep: string;
  onSignedIn: (session: Session) => void;
  onBack: () => void;
}

/** The second step of a sign-in: a code of the app, or a recovery code. */
export function CodeForm({ secondStep, onSignedIn, onBack }: CodeFormProps) {
  const [code, setCode] = useState("");
  const [isRecovery, setRecovery] = useState(false);
  const send = useMutation({
    mutationFn: () => signInByCode({ second_step: secondStep, code }),
    onSuccess: onSignedIn,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    send.mutate();
  };
  const other = () => {
    setRecovery(!isRecovery);
    setCode("");
    send.reset();
  };
  return (
    <Gate
      title="One more step"
      lead={
        isRecovery
          ? "Enter one of the recovery codes you kept. Each works once."
          : "Enter the code that your authenticator app shows for z4j."
      }
    >
      <form onSubmit={submit} className="mt-4 flex flex-col gap-3">
        <Field label={isRecovery ? "Recovery code" : "Code"} fault={faultOf(send.error, "code")}>
          {(ids) => (
            <Input
              {...ids}
              key={String(isRecovery)}
              name="code"
              autoComplete={isRecovery ? "off" : "one-time-code"}
              inputMode={isRecovery ? "text" : "numeric"}
              maxLength={64}
              autoFocus
              required
              value={code}
              onChange={(event) => setCode(event.target.value)}
              className="mono h-8"
            />
          )}
        </Field>
        {faultOfAll(send.error) && (
          <p role="alert" className="text-bad">
            {faultOfAll(send.error)}
          </p>
        )}
        <Button type="submit" variant="primary" size="lg" disabled={send.isPending}>
          {send.isPending ? "Signing in …" : "Sign in"}
        </Button>
        <div className="flex justify-between">
          <Button variant="ghost" size="sm" onClick={onBack}>
            Back
          </Button>
          <Button variant="ghost" size="sm" onClick={other}>
            {isRecovery ? "Use the app" : "Use a recovery code"}
          </Button>
        </div>
      </form>
    </Gate>
  );
}
