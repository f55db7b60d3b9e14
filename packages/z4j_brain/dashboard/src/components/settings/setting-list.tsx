import { useQuery } from "@tanstack/react-query";
import { CopyButton } from "@/components/ui/copy-button";
import { Fault, Loading } from "@/components/ui/note";
import { Panel } from "@/components/ui/panel";
import { cn } from "@/lib/cn";
import { type SettingView, settingsQuery } from "@/services/instance";

const SOURCES: Record<string, string> = {
  env: "from the environment",
  flag: "from the command line",
  file: "from secret.env",
  default: "default",
  none: "not set",
};

/** The settings of the replica that answers. They change outside of it only. */
export function SettingList() {
  const list = useQuery(settingsQuery);
  return (
    <Panel title="Settings of this server" aside="read-only">
      {list.isPending && <Loading rows={6} />}
      {list.error && <Fault error={list.error} retry={() => void list.refetch()} />}
      {list.data && (
        <p className="border-b border-line/60 px-3 py-2 text-ink-2">
          To change one, set its variable in the environment of <span className="mono">z4j serve</span>, on every
          replica, and restart it. Secrets are never shown.
        </p>
      )}
      <ul aria-label="Settings of this server">
        {list.data?.items.map((item) => (
          <Row key={item.name} item={item} />
        ))}
      </ul>
    </Panel>
  );
}

function Row({ item }: { item: SettingView }) {
  const isChosen = item.source !== "default" && item.source !== "none";
  return (
    <li className="flex flex-wrap items-start gap-x-3 border-b border-line/60 px-3 py-1.5 last:border-b-0">
      <div className="min-w-0 flex-1 basis-72">
        <p className="flex items-center gap-1">
          <span className="mono text-xs break-all">{item.name}</span>
          <CopyButton text={item.name} label={`Copy ${item.name}`} />
        </p>
        <p className="text-ink-2">{item.help}</p>
      </div>
      <div className="min-w-0 flex-1 basis-52">
        <p className={cn("break-all", item.value ? "mono text-xs" : "text-ink-3", isChosen && "font-medium")}>
          {item.value || "none"}
        </p>
        <p className="text-xs break-words text-ink-3">
          {SOURCES[item.source] ?? item.source}
          {isChosen && `; default: ${item.default || "none"}`}
        </p>
      </div>
    </li>
  );
}
