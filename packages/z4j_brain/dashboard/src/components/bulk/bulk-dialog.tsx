import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, type ReactNode, useMemo, useState } from "react";
import { buttonOf, byUse } from "@/components/actions/labels";
import { SchemaForm } from "@/components/schema-form/schema-form";
import { Button } from "@/components/ui/button";
import { Dialog, DialogBody, DialogFooter } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Select } from "@/components/ui/input";
import { Fault, Loading } from "@/components/ui/note";
import { RemoteFault } from "@/components/ui/remote-fault";
import { useProject } from "@/hooks/use-project";
import { newKey } from "@/lib/new-key";
import { initialValue, paramsOf, type Schema } from "@/schema/schema";
import { validate } from "@/schema/validate";
import { type ActionView, actionsQuery } from "@/services/actions";
import { bulkEstimateQuery, createBulkRun } from "@/services/bulk-runs";
import { count, duration } from "@/time/format";
import { Estimate } from "./estimate";
import { Options, optionsFault, START } from "./options";
import { filterText } from "./words";

const EMPTY: Schema = { type: "object", properties: {} };

/** Chooses what is done to all tasks that match; says first what that would be. */
export function BulkDialog({ q, onClose }: { q: string; onClose: () => void }) {
  const { project, access } = useProject();
  const actions = useQuery(actionsQuery(project));
  const [chosen, setChosen] = useState<string | null>(null);
  const offered = useMemo(
    () => (actions.data?.items ?? []).filter((each) => isBulk(each, access.permissions)).sort(byUse),
    [access.permissions, actions.data],
  );
  const action = offered.find((each) => keyOf(each) === chosen) ?? offered[0];
  const hasEngines = new Set(offered.map(({ engine }) => engine)).size > 1;
  return (
    <Dialog open onClose={onClose} title="Act on all that match">
      {actions.isPending && <Loading rows={4} />}
      {actions.error && <Fault error={actions.error} retry={() => void actions.refetch()} />}
      {actions.data && !action && (
        <DialogBody>
          <p className="text-ink-2">No online worker offers an action on tasks that you may ask for.</p>
        </DialogBody>
      )}
      {action && (
        <BulkForm key={keyOf(action)} q={q} action={action} onClose={onClose}>
          <Field label="What is done">
            {(ids) => (
              <Select {...ids} value={keyOf(action)} onChange={(event) => setChosen(event.target.value)}>
                {offered.map((each) => (
                  <option key={keyOf(each)} value={keyOf(each)}>
                    {buttonOf(each).label}
                    {hasEngines ? ` (${each.engine})` : ""}
                  </option>
                ))}
              </Select>
            )}
          </Field>
        </BulkForm>
      )}
    </Dialog>
  );
}

interface FormProps {
  q: string;
  action: ActionView;
  onClose: () => void;
  children: ReactNode;
}

function BulkForm({ q, action, onClose, children }: FormProps) {
  const { project } = useProject();
  const navigate = useNavigate();
  const estimate = useQuery(bulkEstimateQuery(project, action.engine, action.name, q));
  const schema = action.params_schema ?? EMPTY;
  const [value, setValue] = useState<unknown>(() => initialValue(schema, schema, true));
  const [options, setOptions] = useState(START);
  // One decision, one key: sending again after a lost answer is the same run.
  const [key] = useState(newKey);
  const faults = useMemo(() => validate(schema, schema, value, true), [schema, value]);
  const send = useMutation({
    mutationFn: () => {
      const params = paramsOf(schema, schema, value) ?? {};
      const { rate, percent, maxFailed, then, skipRetried } = options;
      const canary = { percent: Number(percent), max_failed_percent: Number(maxFailed), then };
      const asked = { action: action.name, engine: action.engine, filter: q, params, canary };
      return createBulkRun(project, { ...asked, rate: Number(rate), skip_retried: skipRetried }, key);
    },
    onSuccess: (run) => void navigate({ to: "/p/$project/bulk/$id", params: { project, id: run.id } }),
  });
  const eligible = estimate.data?.eligible ?? 0;
  const isReady = eligible > 0 && !estimate.data?.eligible_capped && faults.length === 0 && optionsFault(options) === null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isReady) send.mutate();
  };
  const { label } = buttonOf(action);
  const takes = duration((eligible / Number(options.rate)) * 1000);
  return (
    <form onSubmit={submit} className="flex min-h-0 flex-col">
      <DialogBody>
        <p className="text-ink-2">
          All tasks of <span className="mono break-all text-ink">{filterText(q)}</span> as they are now; what comes
          later is not in it.
        </p>
        {children}
        {estimate.isPending && <Loading rows={2} />}
        {estimate.error && <Fault error={estimate.error} />}
        {estimate.data && <Estimate found={estimate.data} states={action.states} />}
        <SchemaForm schema={schema} value={value} onChange={setValue} faults={faults} />
        <Options value={options} onChange={setOptions} isRetry={action.name.startsWith("retry")} />
        {estimate.data && eligible > 0 && optionsFault(options) === null && (
          <p className="text-xs text-ink-3">At this rate it takes about {takes}, and the time of the canary.</p>
        )}
        <RemoteFault error={send.error} />
      </DialogBody>
      <DialogFooter>
        <Button onClick={onClose}>Keep as it is</Button>
        <Button
          type="submit"
          variant={action.destructive ? "alarm" : "primary"}
          disabled={send.isPending || !isReady}
          data-testid="bulk-submit"
        >
          {label} {count(eligible)} {eligible === 1 ? "task" : "tasks"}
        </Button>
      </DialogFooter>
    </form>
  );
}

const keyOf = (action: ActionView): string => `${action.engine} ${action.name}`;

/** The same new arguments for every task are hardly what anybody wants; the API takes them. */
function isBulk(action: ActionView, permissions: readonly string[]): boolean {
  return action.target === "task" && action.name !== "retry_edited" && permissions.includes(action.permission);
}
