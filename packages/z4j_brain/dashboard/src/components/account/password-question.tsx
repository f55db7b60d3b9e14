import { type FormEvent, type ReactNode, useState } from "react";
import { Button, type ButtonProps } from "@/components/ui/button";
import { DialogBody, DialogFooter } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { faultOf, faultOfAll } from "@/lib/faults";

interface PasswordQuestionProps {
  children: ReactNode;
  action: string;
  variant?: ButtonProps["variant"];
  error: unknown;
  isPending: boolean;
  onPassword: (password: string) => void;
  onClose: () => void;
}

/** The part of a dialog that asks for the password before something is changed. */
export function PasswordQuestion({ children, action, variant, error, isPending, onPassword, onClose }: PasswordQuestionProps) {
  const [password, setPassword] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onPassword(password);
  };
  return (
    <form onSubmit={submit} className="flex min-h-0 flex-col">
      <DialogBody>
        <div className="text-ink-2">{children}</div>
        <Field label="Your password" fault={faultOf(error, "password")}>
          {(ids) => (
            <Input
              {...ids}
              type="password"
              autoComplete="current-password"
              required
              value={password}
              onChange={(event) => setPassword(event.target.value)}
            />
          )}
        </Field>
        {faultOfAll(error) && (
          <p role="alert" className="text-bad">
            {faultOfAll(error)}
          </p>
        )}
      </DialogBody>
      <DialogFooter>
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" variant={variant ?? "primary"} disabled={isPending}>
          {action}
        </Button>
      </DialogFooter>
    </form>
  );
}
