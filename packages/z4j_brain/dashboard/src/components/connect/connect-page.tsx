import { useState } from "react";
import { Page } from "@/components/shell/page";
import { Button } from "@/components/ui/button";
import { Empty } from "@/components/ui/note";
import { Panel } from "@/components/ui/panel";
import { usePermission } from "@/hooks/use-project";
import { publicUrl } from "@/lib/app-root";
import { Checklist } from "./checklist";
import { CopyBlock } from "./copy-block";
import { Segments } from "./segments";
import { codeAlternative, connectBlock, type EngineChoice, ENGINES, type FrameworkChoice, FRAMEWORKS } from "./steps";
import { type Created, TokenForm } from "./token-form";

export function ConnectPage() {
  const mayManage = usePermission("agent.manage");
  const [created, setCreated] = useState<Created | null>(null);
  return (
    <Page title="Connect">
      <div className="mx-auto flex max-w-3xl flex-col gap-3 p-3 sm:p-5">
        {!mayManage && (
          <Empty icon="connect" title="A token is needed">
            Your role may not make tokens. Ask an administrator of this project for one.
          </Empty>
        )}
        {mayManage && !created && (
          <Panel title="1. Your application">
            <div className="p-3">
              <TokenForm onCreated={setCreated} />
            </div>
          </Panel>
        )}
        {created && <Instructions created={created} onAgain={() => setCreated(null)} />}
      </div>
    </Page>
  );
}

function Instructions({ created, onAgain }: { created: Created; onAgain: () => void }) {
  const [engine, setEngine] = useState<EngineChoice>("celery");
  const [framework, setFramework] = useState<FrameworkChoice>("none");
  const alternative = codeAlternative(engine);
  return (
    <>
      <Panel
        title={`2. Start ${created.agent.name} with its token`}
        aside={
          <Button size="sm" variant="ghost" onClick={onAgain}>
            Connect another
          </Button>
        }
      >
        <div className="flex flex-col gap-3 p-3">
          <div className="flex flex-wrap gap-x-6 gap-y-2">
            <Segments legend="Engine" options={ENGINES} value={engine} onChange={setEngine} />
            <Segments legend="Framework" options={FRAMEWORKS} value={framework} onChange={setFramework} />
          </div>
          <CopyBlock
            label="Commands with the token"
            text={connectBlock(engine, publicUrl(), created.token)}
          />
          <p className="text-ink-2">
            <strong className="font-medium text-warn">Copy it now.</strong> The token is shown this once; the server
            keeps only a fingerprint of it.
          </p>
          {alternative && (
            <>
              <p className="text-ink-2">{alternative.lead}</p>
              <CopyBlock label="Code" text={alternative.text} />
            </>
          )}
        </div>
      </Panel>
      <Panel title="3. Watch it arrive">
        <div className="p-3">
          <Checklist agent={created.agent} />
        </div>
      </Panel>
    </>
  );
}
