import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Dialog } from "@/components/ui/dialog";
import { accountKeys, replaceRecoveryCodes, turnSecondFactorOff } from "@/services/account";
import { sessionQuery } from "@/services/session";
import { PasswordQuestion } from "./password-question";
import { RecoveryCodes } from "./recovery-codes";

export function NewCodesDialog({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const replace = useMutation({
    mutationFn: replaceRecoveryCodes,
    onSuccess: () => client.invalidateQueries({ queryKey: accountKeys.secondFactor }),
  });
  return (
    <Dialog open onClose={onClose} title="New recovery codes">
      {replace.data ? (
        <RecoveryCodes codes={replace.data.codes} onClose={onClose} />
      ) : (
        <PasswordQuestion
          action="Make new codes"
          error={replace.error}
          isPending={replace.isPending}
          onPassword={replace.mutate}
          onClose={onClose}
        >
          The former codes will work no more.
        </PasswordQuestion>
      )}
    </Dialog>
  );
}

export function TurnOffDialog({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const turnOff = useMutation({
    mutationFn: turnSecondFactorOff,
    onSuccess: async () => {
      onClose();
      await client.invalidateQueries({ queryKey: accountKeys.all });
      await client.invalidateQueries({ queryKey: sessionQuery.queryKey });
    },
  });
  return (
    <Dialog open onClose={onClose} title="Turn the authenticator app off">
      <PasswordQuestion
        action="Turn off"
        variant="alarm"
        error={turnOff.error}
        isPending={turnOff.isPending}
        onPassword={turnOff.mutate}
        onClose={onClose}
      >
        Sign-in will ask for no code of it. Without a passkey, the password alone will do, and the recovery codes will work
        no more.
      </PasswordQuestion>
    </Dialog>
  );
}
