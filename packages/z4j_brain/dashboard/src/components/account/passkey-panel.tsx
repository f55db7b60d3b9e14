import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Ago } from "@/components/time";
import { Button } from "@/components/ui/button";
import { Fault, Loading } from "@/components/ui/note";
import { Panel } from "@/components/ui/panel";
import { canUsePasskeys } from "@/lib/webauthn";
import { secondFactorQuery } from "@/services/account";
import { type Passkey, type PasskeyList, passkeysQuery } from "@/services/passkeys";
import { AddPasskeyDialog, RemovePasskeyDialog } from "./passkey-dialogs";
import { NewCodesDialog } from "./second-factor-dialogs";

export function PasskeyPanel({ isAdmin }: { isAdmin: boolean }) {
  const list = useQuery(passkeysQuery);
  const factor = useQuery(secondFactorQuery);
  const [asked, setAsked] = useState<"add" | "codes" | Passkey | null>(null);
  const close = () => setAsked(null);
  const items = list.data?.items ?? [];
  const left = factor.data?.recovery_codes_left ?? 0;
  return (
    <Panel title="Passkeys">
      {list.isPending && <Loading rows={2} />}
      {list.error && <Fault error={list.error} retry={() => void list.refetch()} />}
      {list.data && <Lead list={list.data} isAdmin={isAdmin} onAdd={() => setAsked("add")} />}
      {items.length > 0 && (
        <ul className="divide-y divide-line border-t border-line" aria-label="Passkeys">
          {items.map((passkey) => (
            <PasskeyRow key={passkey.id} passkey={passkey} onRemove={() => setAsked(passkey)} />
          ))}
        </ul>
      )}
      {items.length > 0 && factor.data?.is_on === false && (
        <div className="flex flex-wrap items-center gap-3 border-t border-line p-3 text-ink-2">
          <span>{left === 1 ? "1 recovery code is" : `${left} recovery codes are`} left.</span>
          <Button size="sm" onClick={() => setAsked("codes")}>
            New recovery codes
          </Button>
        </div>
      )}
      {asked === "add" && <AddPasskeyDialog onClose={close} />}
      {asked === "codes" && <NewCodesDialog onClose={close} />}
      {asked !== null && typeof asked === "object" && <RemovePasskeyDialog passkey={asked} onClose={close} />}
    </Panel>
  );
}

function Lead({ list, isAdmin, onAdd }: { list: PasskeyList; isAdmin: boolean; onAdd: () => void }) {
  const hindrance = whyNot(list, isAdmin);
  return (
    <div className="flex flex-col items-start gap-3 p-3">
      <p className="max-w-prose text-ink-2">
        A passkey signs you in without a password: with a fingerprint, your face or a PIN, on this device or a security
        key. No false page can make use of it.
      </p>
      {hindrance ? (
        <p className="max-w-prose text-ink-3">{hindrance}</p>
      ) : (
        <Button variant={list.items.length ? undefined : "primary"} onClick={onAdd}>
          Add a passkey
        </Button>
      )}
    </div>
  );
}

function whyNot({ unavailable, items, most }: PasskeyList, isAdmin: boolean): string | null {
  if (unavailable?.includes("pip install") && !isAdmin) return "This server offers no passkeys. An administrator can add them.";
  if (unavailable) return unavailable;
  if (!canUsePasskeys()) return "This browser has no passkeys at this address. Use another one, or open z4j by HTTPS.";
  return items.length >= most ? `You have ${most} passkeys. Remove one that you use no more.` : null;
}

function PasskeyRow({ passkey, onRemove }: { passkey: Passkey; onRemove: () => void }) {
  return (
    <li className="flex items-center gap-3 px-3 py-2">
      <div className="min-w-0 flex-1">
        <p className="truncate" title={passkey.name}>
          {passkey.name}
        </p>
        <p className="truncate text-xs text-ink-3">
          at {passkey.host} · added <Ago at={passkey.created_at} /> ·{" "}
          {passkey.last_used_at ? (
            <>
              used <Ago at={passkey.last_used_at} />
            </>
          ) : (
            "not used yet"
          )}
        </p>
      </div>
      <Button variant="danger" size="sm" aria-label={`Remove the passkey ${passkey.name}`} onClick={onRemove}>
        Remove
      </Button>
    </li>
  );
}
