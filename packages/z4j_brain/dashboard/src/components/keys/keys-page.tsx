import { useState } from "react";
import { Page } from "@/components/shell/page";
import { Button } from "@/components/ui/button";
import { Icon } from "@/components/ui/icon";
import { AgentTokens } from "./agent-tokens";
import { ApiKeys } from "./api-keys";
import { KeyDialog } from "./key-dialog";

export function KeysPage() {
  const [isMaking, setMaking] = useState(false);
  return (
    <Page
      title="Keys"
      aside={
        <Button onClick={() => setMaking(true)}>
          <Icon name="plus" className="size-3.5" />
          New API key
        </Button>
      }
    >
      <div className="flex max-w-5xl flex-col gap-3 p-3 sm:p-4">
        <ApiKeys />
        <AgentTokens />
      </div>
      {isMaking && <KeyDialog onClose={() => setMaking(false)} />}
    </Page>
  );
}
