import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { useProject } from "@/hooks/use-project";
import { agentKeys, type AgentView, createAgent } from "@/services/agents";
import { ApiError } from "@/services/http";

export interface Created {
  agent: AgentView;
  token: string;
}

/** One question: under what name the application will be listed. */
export function TokenForm({ onCreated }: { onCreated: (created: Created) => void }) {
  const { project } = useProject();
  const client = useQueryClient();
  const [name, setName] = useState("");
  const create = useMutation({
    mutationFn: (wanted: string) => createAgent(project, wanted),
    onSuccess: (created) => {
      onCreated(created);
      return client.invalidateQueries({ queryKey: agentKeys.list(project) });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim()) create.mutate(name.trim());
  };
  const { error } = create;
  const isTaken = error instanceof ApiError && error.status === 409;
  return (
    <form onSubmit={submit} className="flex max-w-md flex-col gap-3">
      <Field
        label="Name"
        hint="As your people call the application: “checkout”, “billing worker”. Workers that share a token are listed under one name."
        fault={error ? faultText(error) : null}
      >
        {(ids) => (
          <Input
            {...ids}
            name="agent"
            autoComplete="off"
            autoFocus
            required
            maxLength={100}
            className="h-8"
            value={name}
            onChange={(event) => {
              setName(event.target.value);
              if (error) create.reset();
            }}
          />
        )}
      </Field>
      {isTaken && (
        <p>
          Choose another name, or{" "}
          <Link to="/p/$project/agents" params={{ project }} className="text-accent underline underline-offset-2">
            open Agents
          </Link>{" "}
          for that token.
        </p>
      )}
      <div>
        <Button type="submit" variant="primary" size="lg" disabled={create.isPending || !name.trim()}>
          {create.isPending ? "Creating …" : "Create token"}
        </Button>
      </div>
    </form>
  );
}

function faultText(error: Error): string {
  if (!(error instanceof ApiError)) return error.message;
  return error.problem.errors?.map(({ detail }) => detail).join(" ") || error.message;
}
