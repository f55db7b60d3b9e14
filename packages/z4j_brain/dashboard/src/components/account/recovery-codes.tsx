import { CopyBlock } from "@/components/connect/copy-block";
import { Button } from "@/components/ui/button";
import { DialogBody, DialogFooter } from "@/components/ui/dialog";

/** The codes, this once. */
export function RecoveryCodes({ codes, onClose }: { codes: readonly string[]; onClose: () => void }) {
  return (
    <>
      <DialogBody>
        <p className="text-ink-2">
          <strong className="font-medium text-warn">Keep these codes now,</strong> away from the device with the app
          or passkey. They are shown this once. Each signs you in after your password, once.
        </p>
        <CopyBlock label="Recovery codes" text={codes.join("\n")} />
      </DialogBody>
      <DialogFooter>
        <Button variant="primary" onClick={onClose}>
          I have kept them
        </Button>
      </DialogFooter>
    </>
  );
}
