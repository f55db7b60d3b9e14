import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { CopyBlock } from "@/components/connect/copy-block";
import { Button } from "@/components/ui/button";
import { Dialog, DialogBody, DialogFooter } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { faultOf, faultOfAll } from "@/lib/faults";
import { accountKeys, beginSecondFactor, confirmSecondFactor, type Enrolment } from "@/services/account";
import { sessionQuery } from "@/services/session";
import { PasswordQuestion } from "./password-question";
import { QrCode } from "./qr-code";
import { RecoveryCodes } from "./recovery-codes";

/** Password, QR code and first code, recovery codes. */
export function EnrolDialog({ onClose }: { onClose: () => void }) {
  const begin = useMutation({ mutationFn: beginSecondFactor });
  const [codes, setCodes] = useState<readonly string[] | null>(null);
  return (
    <Dialog open onClose={onClose} title="Set up an authenticator app">
      {codes && <RecoveryCodes codes={codes} onClose={onClose} />}
      {!codes && begin.data && <ScanStep enrolment={begin.data} onCodes={setCodes} onClose={onClose} />}
      {!codes && !begin.data && (
        <PasswordQuestion
          action="Go on"
          error={begin.error}
          isPending={begin.isPending}
          onPassword={begin.mutate}
          onClose={onClose}
        >
          You will need an app for one-time codes on your phone or computer. Any that reads QR codes does.
        </PasswordQuestion>
      )}
    </Dialog>
  );
}

interface ScanStepProps {
  enrolment: Enrolment;
  onCodes: (codes: readonly string[]) => void;
  onClose: () => void;
}

function ScanStep({ enrolment, onCodes, onClose }: ScanStepProps) {
  const client = useQueryClient();
  const [code, setCode] = useState("");
  const confirm = useMutation({
    mutationFn: confirmSecondFactor,
    onSuccess: async (answer) => {
      onCodes(answer.codes);
      await client.invalidateQueries({ queryKey: accountKeys.all });
      await client.invalidateQueries({ queryKey: sessionQuery.queryKey });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    confirm.mutate(code);
  };
  return (
    <form onSubmit={submit} className="flex min-h-0 flex-col">
      <DialogBody>
        <div className="flex flex-col items-center gap-4 sm:flex-row sm:items-start">
          <QrCode text={enrolment.uri} label="QR code for the app" />
          <div className="flex min-w-0 flex-1 flex-col gap-2">
            <p className="text-ink-2">Scan this with the app. Or type the key into it:</p>
            <CopyBlock label="Key for the app" text={enrolment.secret} />
          </div>
        </div>
        <Field label="Code that the app shows now" fault={faultOf(confirm.error, "code")}>
          {(ids) => (
            <Input
              {...ids}
              name="code"
              autoComplete="one-time-code"
              inputMode="numeric"
              maxLength={64}
              autoFocus
              required
              value={code}
              onChange={(event) => setCode(event.target.value)}
              className="mono"
            />
          )}
        </Field>
        {faultOfAll(confirm.error) && (
          <p role="alert" className="text-bad">
            {faultOfAll(confirm.error)}
          </p>
        )}
      </DialogBody>
      <DialogFooter>
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" variant="primary" disabled={confirm.isPending}>
          {confirm.isPending ? "Turning on …" : "Turn on"}
        </Button>
      </DialogFooter>
    </form>
  );
}
