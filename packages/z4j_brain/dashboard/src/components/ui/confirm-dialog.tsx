import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Button } from "./button";
import { Dialog, DialogBody, DialogFooter } from "./dialog";
import { RemoteFault } from "./remote-fault";

interface ConfirmDialogProps {
  title: string;
  act: string;
  run: () => Promise<unknown>;
  /** Lists that are read again when it is done. */
  stale: readonly (readonly unknown[])[];
  onClose: () => void;
  children: ReactNode;
}

/** Asks before something that cannot be taken back by the same button. */
export function ConfirmDialog({ title, act, run, stale, onClose, children }: ConfirmDialogProps) {
  const client = useQueryClient();
  const send = useMutation({
    mutationFn: run,
    onSuccess: async () => {
      await Promise.all(stale.map((queryKey) => client.invalidateQueries({ queryKey })));
      onClose();
    },
  });
  return (
    <Dialog open onClose={onClose} title={title}>
      <DialogBody>
        {children}
        <RemoteFault error={send.error} />
      </DialogBody>
      <DialogFooter>
        <Button onClick={onClose}>Cancel</Button>
        <Button variant="alarm" disabled={send.isPending} onClick={() => send.mutate()}>
          {act}
        </Button>
      </DialogFooter>
    </Dialog>
  );
}
