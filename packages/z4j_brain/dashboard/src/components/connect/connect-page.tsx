import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { Page } from "@/components/shell/page";
import { Button } from "@/components/ui/button";
import { Empty, Loading } from "@/components/ui/note";
import { Panel } from "@/components/ui/panel";
import { usePermission, useProject } from "@/hooks/use-project";
import { publicUrl } from "@/lib/app-root";
import { agentsQuery, type AgentView } from "@/services/agents";
import { Checklist } from "./checklist";
import { CopyBlock } from "./copy-block";
import { Segments } from "./segments";
import { codeAlternative, connectBlock, type EngineChoice, ENGINES, type FrameworkChoice, FRAMEWORKS } from "./steps";
import { type Created, TokenForm } from "./token-form";

interface ConnectPageProps {
  /** The id of the agent that is watched; in the URL, so that it outlives a reload. The token does not. */
  followed: string | undefined;
  onFollow: (agent: string | undefined) => void;
}

export function ConnectPage({ followed, onFollow }: ConnectPageProps) {
  const { project } = useProject();
  const mayManage = usePermission("agent.manage");
  const [created, setCreated] = useState<Created | null>(null);
  const isNew = created?.agent.id === followed;
  const known = useQuery({ ...agentsQuery(project), enabled: mayManage && followed !== undefined && !isNew });
  const agent = isNew ? created?.agent : known.data?.items.find(({ id }) => id === followed);
  const begin = (next: Created) => {
    setCreated(next);
    onFollow(next.agent.id);
  };
  return (
    <Page title="Connect">
      <div className="mx-auto flex max-w-3xl flex-col gap-3 p-3 sm:p-5">
        {!mayManage && (
          <Empty icon="connect" title="A token is needed">
            Your role may not make tokens. Ask an administrator of this project for one.
          </Empty>
        )}
        {known.isLoading && <Loading />}
        {mayManage && !agent && !known.isLoading && (
          <Panel title="1. Your application">
            <div className="p-3">
              <TokenForm onCreated={begin} />
            </div>
          </Panel>
        )}
        {agent && (
          <Instructions agent={agent} token={isNew ? created?.token : undefined} onAgain={() => onFollow(undefined)} />
        )}
      </div>
    </Page>
  );
}

interface InstructionsProps {
  agent: AgentView;
  /** Undefined after a reload. */
  token: string | undefined;
  onAgain: () => void;
}

function Instructions({ agent, token, onAgain }: InstructionsProps) {
  const [engine, setEngine] = useState<EngineChoice>("celery");
  const [framework, setFramework] = useState<FrameworkChoice>("none");
  const alternative = codeAlternative(engine);
  return (
    <>
      <Panel
        title={`2. Start ${agent.name} with its token`}
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
          <CopyBlock label="Commands with the token" text={connectBlock(engine, publicUrl(), token ?? "YOUR_TOKEN")} />
          {token ? (
            <p className="text-ink-2">
              <strong className="font-medium text-warn">Copy it now.</strong> The token is shown this once; the server
              keeps only a fingerprint of it.
            </p>
          ) : (
            <TokenGone />
          )}
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
          <Checklist agent={agent} />
        </div>
      </Panel>
    </>
  );
}

function TokenGone() {
  const { project } = useProject();
  return (
    <p className="text-ink-2">
      The token was shown once, when it was made. Is it lost? Make another one on{" "}
      <Link to="/p/$project/agents" params={{ project }} className="text-accent underline underline-offset-2">
        Agents
      </Link>
      .
    </p>
  );
}
