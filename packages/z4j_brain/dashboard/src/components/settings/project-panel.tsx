import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Panel } from "@/components/ui/panel";
import { faultOf, RemoteFault } from "@/components/ui/remote-fault";
import { useProject } from "@/hooks/use-project";
import { useReadSession } from "@/hooks/use-read-session";
import { renameProject } from "@/services/instance";

/** The open project's name. */
export function ProjectPanel() {
  const { project, access } = useProject();
  const readSession = useReadSession();
  const [name, setName] = useState(access.name);
  const send = useMutation({
    mutationFn: () => renameProject(project, name),
    onSuccess: async (named) => {
      setName(named.name);
      await readSession();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    send.mutate();
  };
  const isSame = name.trim() === access.name || !name.trim();
  return (
    <Panel title="This project">
      <form onSubmit={submit} className="flex max-w-md flex-col gap-3 p-3">
        <Field
          label="Name"
          fault={faultOf(send.error, "/name")}
          hint={
            <>
              Its address stays <span className="mono">{project}</span>: links, agent tokens and API keys go on working.
            </>
          }
        >
          {(ids) => (
            <Input
              {...ids}
              name="project-name"
              autoComplete="off"
              required
              maxLength={100}
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
        <RemoteFault error={send.error} fields={["/name"]} />
        <div className="flex items-center gap-3">
          <Button type="submit" variant="primary" disabled={isSame || send.isPending}>
            {send.isPending ? "Renaming …" : "Rename"}
          </Button>
          {send.isSuccess && isSame && (
            <span role="status" className="text-good">
              Renamed.
            </span>
          )}
        </div>
      </form>
    </Panel>
  );
}
