import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { Gate } from "@/components/gate";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { faultOf, faultOfAll } from "@/lib/faults";
import { canUsePasskeys } from "@/lib/webauthn";
import { type SecondStepWay, type Session, signInByCode } from "@/services/session";
import { PasskeyButton } from "./passkey-button";

interface SecondStepProps {
  secondStep: string;
  ways: readonly SecondStepWay[];
  onSignedIn: (session: Session) => void;
  onBack: () => void;
}

const LEADS: Record<SecondStepWay, string> = {
  passkey: "Use one of your passkeys.",
  app: "Enter the code that your authenticator app shows for z4j.",
  recovery_code: "Enter one of the recovery codes you kept. Each works once.",
};
const SWITCHES: Record<SecondStepWay, string> = {
  passkey: "Use a passkey",
  app: "Use the app",
  recovery_code: "Use a recovery code",
};
const ORDER: readonly SecondStepWay[] = ["passkey", "app", "recovery_code"];

/** The second step of a sign-in: a passkey, a code of the app, or a recovery code. */
export function SecondStepForm({ secondStep, ways, onSignedIn, onBack }: SecondStepProps) {
  const possible = ORDER.filter((way) => ways.includes(way) && (way !== "passkey" || canUsePasskeys()));
  const [chosen, setChosen] = useState<SecondStepWay>(possible[0] ?? "recovery_code");
  return (
    <Gate title="One more step" lead={LEADS[chosen]}>
      {chosen === "passkey" ? (
        <div className="mt-4 flex flex-col">
          <PasskeyButton variant="primary" secondStep={secondStep} onSignedIn={onSignedIn} />
        </div>
      ) : (
        <CodeForm key={chosen} isRecovery={chosen === "recovery_code"} secondStep={secondStep} onSignedIn={onSignedIn} />
      )}
      <div className="mt-3 flex flex-wrap justify-between gap-1">
        <Button variant="ghost" size="sm" onClick={onBack}>
          Back
        </Button>
        {possible
          .filter((way) => way !== chosen)
          .map((way) => (
            <Button key={way} variant="ghost" size="sm" onClick={() => setChosen(way)}>
              {SWITCHES[way]}
            </Button>
          ))}
      </div>
    </Gate>
  );
}

interface CodeFormProps {
  isRecovery: boolean;
  secondStep: string;
  onSignedIn: (session: Session) => void;
}

function CodeForm({ isRecovery, secondStep, onSignedIn }: CodeFormProps) {
  const [code, setCode] = useState("");
  const send = useMutation({
    mutationFn: () => signInByCode({ second_step: secondStep, code }),
    onSuccess: onSignedIn,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    send.mutate();
  };
  return (
    <form onSubmit={submit} className="mt-4 flex flex-col gap-3">
      <Field label={isRecovery ? "Recovery code" : "Code"} fault={faultOf(send.error, "code")}>
        {(ids) => (
          <Input
            {...ids}
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
    </form>
  );
}
