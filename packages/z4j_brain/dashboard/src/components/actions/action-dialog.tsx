import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useMemo, useState } from "react";
import { SchemaForm } from "@/components/schema-form/schema-form";
import { Button } from "@/components/ui/button";
import { Dialog, DialogBody, DialogFooter } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { useProject } from "@/hooks/use-project";
import { newKey } from "@/lib/new-key";
import { changesOf, initialValue, isObject, paramsOf, type Schema, shapeOf } from "@/schema/schema";
import { validate } from "@/schema/validate";
import type { ActionView } from "@/services/actions";
import { commandKeys, type CommandTarget, sendCommand } from "@/services/commands";
import { ApiError } from "@/services/http";
import { CommandProgress } from "../commands/command-progress";
import { buttonOf } from "./labels";

interface ActionDialogProps {
  action: ActionView;
  target: CommandTarget;
  /** What the action acts on, as people know it: "task app.send", "queue email". */
  object: string;
  /** What must be typed before a destructive action may be sent. */
  confirmBy?: string;
  /** Values that the form starts with instead of the schema's defaults. */
  start?: Record<string, unknown>;
  /** Send only what differs from `start`: the action leaves the rest as it is. */
  onlyChanges?: boolean;
  children?: ReactNode;
  onClose: () => void;
}

const EMPTY: Schema = { type: "object", properties: {} };

/** The form of one action: says what will happen, asks where it must, sends, shows the outcome. */
export function ActionDialog(props: ActionDialogProps) {
  const { action, target, object, confirmBy, start, onlyChanges, children, onClose } = props;
  const { project } = useProject();
  const client = useQueryClient();
  const schema = action.params_schema ?? EMPTY;
  const [first] = useState<unknown>(() => startValue(schema, start));
  const [value, setValue] = useState(first);
  const [typed, setTyped] = useState("");
  const [wasSent, setWasSent] = useState(false);
  // One decision, one key: sending again after a lost answer is the same command.
  const [key] = useState(newKey);
  const faults = useMemo(() => validate(schema, schema, value, true), [schema, value]);
  const send = useMutation({
    mutationFn: () => {
      const params = onlyChanges ? changesOf(schema, first, value) : (paramsOf(schema, schema, value) ?? {});
      return sendCommand(project, { action: action.name, engine: action.engine, params, target }, key);
    },
    onSuccess: () => client.invalidateQueries({ queryKey: commandKeys.lists(project) }),
  });
  const { label } = buttonOf(action);
  const mustType = action.destructive && confirmBy !== undefined;
  const isReady = !mustType || typed === confirmBy;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setWasSent(true);
    if (faults.length === 0 && isReady) send.mutate();
  };
  const remote = send.error instanceof ApiError ? faultsOf(send.error) : [];
  if (send.data) {
    return (
      <Dialog open onClose={onClose} title={label}>
        <DialogBody>
          <p className="text-ink-2">
            {label} · <span className="font-medium text-ink">{object}</span>
          </p>
          <CommandProgress command={send.data} onLeave={onClose} />
        </DialogBody>
        <DialogFooter>
          <Button onClick={onClose}>Close</Button>
        </DialogFooter>
      </Dialog>
    );
  }
  return (
    <Dialog open onClose={onClose} title={label}>
      <form onSubmit={submit} className="flex min-h-0 flex-col">
        <DialogBody>
          <p>
            <span className="text-ink-2">{action.description || sentenceOf(action)} It acts on </span>
            <span className="font-medium break-words">{object}</span>
            <span className="text-ink-2">.</span>
          </p>
          {children}
          <SchemaForm
            schema={schema}
            value={value}
            onChange={setValue}
            faults={[...remote, ...(wasSent ? faults : faults.filter(({ message }) => message !== "This is needed."))]}
          />
          {mustType && (
            <Field label={`Type “${confirmBy}” to confirm`}>
              {(ids) => (
                <Input
                  {...ids}
                  className="mono"
                  autoComplete="off"
                  value={typed}
                  onChange={(event) => setTyped(event.target.value)}
                />
              )}
            </Field>
          )}
          {send.error && (
            <p role="alert" className="text-bad">
              {send.error.message}
            </p>
          )}
        </DialogBody>
        <DialogFooter>
          <Button onClick={onClose}>Keep as it is</Button>
          <Button
            type="submit"
            variant={action.destructive ? "alarm" : "primary"}
            disabled={send.isPending || !isReady || (wasSent && faults.length > 0)}
            data-testid="action-submit"
          >
            {send.isPending ? "Sending …" : submitText(action, label, object)}
          </Button>
        </DialogFooter>
      </form>
    </Dialog>
  );
}

const sentenceOf = (action: ActionView): string => `${action.title || action.name}.`;

/** The last button of a destructive action names its object, so nobody confirms blindly. */
function submitText(action: ActionView, label: string, object: string): string {
  if (!action.destructive) return label;
  return `${label} ${object.length > 40 ? `${object.slice(0, 39)}…` : object}`;
}

function startValue(schema: Schema, start: Record<string, unknown> | undefined): unknown {
  const initial = initialValue(schema, schema, true);
  if (!start || !isObject(initial)) return initial;
  const known = shapeOf(schema, schema).schema.properties ?? {};
  const given = Object.entries(start).filter(([name]) => name in known);
  return { ...initial, ...Object.fromEntries(given) };
}

function faultsOf(error: ApiError) {
  return (error.problem.errors ?? []).map(({ pointer, detail }) => ({
    pointer: pointer.replace(/^#?\/?params/, ""),
    message: detail,
  }));
}
