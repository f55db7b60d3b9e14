import { useMutation } from "@tanstack/react-query";
import { Button, type ButtonProps } from "@/components/ui/button";
import { signInByPasskey } from "@/services/passkeys";
import type { Session } from "@/services/session";

interface PasskeyButtonProps {
  /** What the password answered; null to sign in by passkey alone. */
  secondStep: string | null;
  variant?: ButtonProps["variant"];
  onSignedIn: (session: Session) => void;
}

export function PasskeyButton({ secondStep, variant, onSignedIn }: PasskeyButtonProps) {
  const send = useMutation({ mutationFn: () => signInByPasskey(secondStep), onSuccess: onSignedIn });
  return (
    <>
      <Button variant={variant} size="lg" disabled={send.isPending} onClick={() => send.mutate()}>
        {send.isPending ? "Waiting for the device …" : "Use a passkey"}
      </Button>
      {send.error && (
        <p role="alert" className="mt-2 text-bad">
          {send.error.message}
        </p>
      )}
    </>
  );
}
