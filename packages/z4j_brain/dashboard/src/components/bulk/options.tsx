import { Field } from "@/components/ui/field";
import { Input, Select } from "@/components/ui/input";

export interface OptionValues {
  rate: string;
  percent: string;
  maxFailed: string;
  then: "go_on" | "wait";
  skipRetried: boolean;
}

export const START: OptionValues = { rate: "20", percent: "1", maxFailed: "20", then: "go_on", skipRetried: true };

const isBetween = (text: string, least: number, most: number): boolean =>
  text.trim() !== "" && Number(text) >= least && Number(text) <= most;

/** What cannot be sent, in words; null when all can. */
export function optionsFault({ rate, percent, maxFailed }: OptionValues): string | null {
  if (!isBetween(rate, 0.1, 500)) return "The rate is 0.1 to 500 tasks a second.";
  if (!isBetween(percent, 0, 100) || !isBetween(maxFailed, 0, 100)) return "A share is 0 to 100 %.";
  return null;
}

interface OptionsProps {
  value: OptionValues;
  onChange: (value: OptionValues) => void;
  isRetry: boolean;
}

/** Rate and canary of a run. */
export function Options({ value, onChange, isRetry }: OptionsProps) {
  const set = (change: Partial<OptionValues>) => onChange({ ...value, ...change });
  const fault = optionsFault(value);
  const hasCanary = Number(value.percent) > 0;
  return (
    <>
      <div className="grid grid-cols-2 gap-3">
        <Field label="Tasks a second">
          {(ids) => (
            <Input {...ids} className="num" inputMode="decimal" value={value.rate} onChange={(event) => set({ rate: event.target.value })} />
          )}
        </Field>
        <Field label="Canary, %" hint={hasCanary ? "At least 10 tasks" : "None"}>
          {(ids) => (
            <Input {...ids} className="num" inputMode="decimal" value={value.percent} onChange={(event) => set({ percent: event.target.value })} />
          )}
        </Field>
        {hasCanary && (
          <Field label="Stop when more failed, %">
            {(ids) => (
              <Input {...ids} className="num" inputMode="decimal" value={value.maxFailed} onChange={(event) => set({ maxFailed: event.target.value })} />
            )}
          </Field>
        )}
        {hasCanary && (
          <Field label="When it went well">
            {(ids) => (
              <Select {...ids} value={value.then} onChange={(event) => set({ then: event.target.value === "wait" ? "wait" : "go_on" })}>
                <option value="go_on">go on</option>
                <option value="wait">wait for me</option>
              </Select>
            )}
          </Field>
        )}
      </div>
      {isRetry && (
        <label className="flex items-center gap-2">
          <input type="checkbox" checked={value.skipRetried} onChange={(event) => set({ skipRetried: event.target.checked })} />
          Leave out what was retried already
        </label>
      )}
      {fault && <p role="alert" className="text-xs text-bad">{fault}</p>}
    </>
  );
}
