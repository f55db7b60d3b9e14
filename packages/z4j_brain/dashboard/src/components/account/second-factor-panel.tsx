import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Ago } from "@/components/time";
import { Button } from "@/components/ui/button";
import { Fault, Loading } from "@/components/ui/note";
import { Panel } from "@/components/ui/panel";
import { secondFactorQuery } from "@/services/account";
import { EnrolDialog } from "./enrol-dialog";
import { NewCodesDialog, TurnOffDialog } from "./second-factor-dialogs";

const FEW = 3;

export function SecondFactorPanel() {
  const state = useQuery(secondFactorQuery);
  const [asked, setAsked] = useState<"enrol" | "codes" | "off" | null>(null);
  const close = () => setAsked(null);
  const left = state.data?.recovery_codes_left ?? 0;
  return (
    <Panel title="Authenticator app">
      {state.isPending && <Loading rows={2} />}
      {state.error && <Fault error={state.error} retry={() => void state.refetch()} />}
      {state.data && !state.data.is_on && (
        <div className="flex flex-col items-start gap-3 p-3">
          <p className="max-w-prose text-ink-2">
            Sign-in then asks for a code of an app on your phone, too. A password that somebody found out is not enough
            any more.
          </p>
          <Button variant="primary" onClick={() => setAsked("enrol")}>
            Set up an app
          </Button>
        </div>
      )}
      {state.data?.is_on && (
        <div className="flex flex-col items-start gap-3 p-3" data-testid="second-factor-on">
          <p className="text-ink-2">
            Sign-in asks for a code. The app was set up <Ago at={state.data.since} />;{" "}
            <span className={left < FEW ? "font-medium text-warn" : undefined}>
              {left === 1 ? "1 recovery code is" : `${left} recovery codes are`} left.
            </span>
          </p>
          <div className="flex flex-wrap gap-2">
            <Button onClick={() => setAsked("codes")}>New recovery codes</Button>
            <Button variant="danger" onClick={() => setAsked("off")}>
              Turn off
            </Button>
          </div>
        </div>
      )}
      {asked === "enrol" && <EnrolDialog onClose={close} />}
      {asked === "codes" && <NewCodesDialog onClose={close} />}
      {asked === "off" && <TurnOffDialog onClose={close} />}
    </Panel>
  );
}
