import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Ago } from "@/components/time";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Fault } from "@/components/ui/note";
import { Panel } from "@/components/ui/panel";
import { accountKeys, beginLink, identityQuery, unlink } from "@/services/account";
import { PasswordQuestion } from "./password-question";

/** Whether the identity provider opens this account; nothing where there is no provider. */
export function IdentityPanel() {
  const state = useQuery(identityQuery);
  const [isAsked, setAsked] = useState(false);
  const leave = useMutation({ mutationFn: beginLink, onSuccess: ({ url }) => window.location.assign(url) });
  if (state.error) return <Fault error={state.error} retry={() => void state.refetch()} />;
  if (!state.data?.provider) return null;
  const { provider, linked_at, needs_password } = state.data;
  const close = () => setAsked(false);
  const begin = () => (needs_password ? setAsked(true) : leave.mutate(""));
  return (
    <Panel title="Identity provider">
      <div className="flex flex-col items-start gap-3 p-3" data-testid="identity">
        <p className="max-w-prose text-ink-2">
          {linked_at ? (
            <>
              You sign in with {provider}. It was linked <Ago at={linked_at} />.
            </>
          ) : (
            <>Link this account, and {provider} signs you in from then on.</>
          )}
        </p>
        {leave.error && !isAsked && (
          <p role="alert" className="text-bad">
            {leave.error.message}
          </p>
        )}
        {!linked_at && (
          <Button variant="primary" disabled={leave.isPending} onClick={begin}>
            Link {provider}
          </Button>
        )}
        {linked_at && needs_password && (
          <Button variant="danger" onClick={() => setAsked(true)}>
            Unlink
          </Button>
        )}
      </div>
      {isAsked && !linked_at && (
        <Dialog open onClose={close} title={`Link ${provider}`}>
          <PasswordQuestion
            action="Go on"
            error={leave.error}
            isPending={leave.isPending}
            onPassword={leave.mutate}
            onClose={close}
          >
            You go to {provider}, sign in there, and come back.
          </PasswordQuestion>
        </Dialog>
      )}
      {isAsked && linked_at && <UnlinkDialog provider={provider} onClose={close} />}
    </Panel>
  );
}

function UnlinkDialog({ provider, onClose }: { provider: string; onClose: () => void }) {
  const client = useQueryClient();
  const undo = useMutation({
    mutationFn: unlink,
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: accountKeys.identity });
      onClose();
    },
  });
  return (
    <Dialog open onClose={onClose} title={`Unlink ${provider}`}>
      <PasswordQuestion
        action="Unlink"
        variant="alarm"
        error={undo.error}
        isPending={undo.isPending}
        onPassword={undo.mutate}
        onClose={onClose}
      >
        You will sign in with your password alone.
      </PasswordQuestion>
    </Dialog>
  );
}
