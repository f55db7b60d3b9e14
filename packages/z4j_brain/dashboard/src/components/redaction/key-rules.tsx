import { type FormEvent, useState } from "react";
import { Button } from "@/components/ui/button";
import { Icon } from "@/components/ui/icon";
import { Input } from "@/components/ui/input";
import { Panel } from "@/components/ui/panel";
import { RemoteFault } from "@/components/ui/remote-fault";
import type { Redaction } from "@/services/redaction";
import { count } from "@/time/format";
import { useRules } from "./use-rules";

/** Words in the names of keys whose values are hidden whole. */
export function KeyRules({ stored }: { stored: Redaction }) {
  const { save } = useRules();
  const { rules } = stored;
  const [word, setWord] = useState("");
  const add = (event: FormEvent) => {
    event.preventDefault();
    const key = word.trim();
    if (!key || rules.keys.includes(key)) return setWord("");
    save.mutate({ ...rules, keys: [...rules.keys, key] }, { onSuccess: () => setWord("") });
  };
  const remove = (key: string) => save.mutate({ ...rules, keys: rules.keys.filter((one) => one !== key) });
  return (
    <Panel title="Keys" aside={<Taken number={stored.counts["added-key"]} />}>
      <div className="flex flex-col gap-2 p-3">
        <p className="text-ink-2">
          Values under these keys are hidden, however they are written: <span className="mono">plate number</span> also
          hides <span className="mono">plateNumber</span> and <span className="mono">PLATE_NUMBER</span>.
        </p>
        <ul aria-label="Hidden keys" className="flex flex-wrap gap-1.5">
          {rules.keys.map((key) => (
            <li key={key} className="flex items-center rounded-md border border-line bg-sunken pl-2">
              <span className="mono text-xs">{key}</span>
              <Button
                variant="ghost"
                size="icon-sm"
                aria-label={`Remove the key ${key}`}
                disabled={save.isPending}
                onClick={() => remove(key)}
              >
                <Icon name="close" className="size-3" />
              </Button>
            </li>
          ))}
        </ul>
        <form onSubmit={add} className="flex gap-2">
          <Input
            aria-label="Another key"
            placeholder="plate number"
            className="mono max-w-64"
            maxLength={64}
            autoComplete="off"
            value={word}
            onChange={(event) => setWord(event.target.value)}
          />
          <Button type="submit" disabled={save.isPending || word.trim() === ""}>
            Hide it
          </Button>
        </form>
        <RemoteFault error={save.error} />
      </div>
    </Panel>
  );
}

/** How often a rule took something out; nothing where it never did. */
export function Taken({ number = 0 }: { number?: number }) {
  return number > 0 ? <span className="num whitespace-nowrap">{count(number)} taken out</span> : null;
}
