import { useNavigate } from "@tanstack/react-router";
import { type KeyboardEvent, useEffect, useState } from "react";
import { Dialog } from "@/components/ui/dialog";
import { Icon, type IconName } from "@/components/ui/icon";
import { Kbd } from "@/components/ui/note";
import { usePlaces } from "@/hooks/use-places";
import { useProject } from "@/hooks/use-project";
import { cn } from "@/lib/cn";
import { toggleTheme } from "@/lib/theme";
import { toggleZone } from "@/time/clock";
import { useShell } from "./app-shell";
import { CONNECT } from "./navigation";
import { useSignOut } from "./sidebar";

interface Entry {
  label: string;
  icon: IconName;
  keys?: string;
  run: () => void;
}

export function Palette({ open, onClose }: { open: boolean; onClose: () => void }) {
  if (!open) return null;
  return (
    <Dialog open onClose={onClose} title="Search and commands" bare>
      <Entries onClose={onClose} />
    </Dialog>
  );
}

function useEntries(text: string): Entry[] {
  const { project, session } = useProject();
  const { openHelp } = useShell();
  const navigate = useNavigate();
  const leave = useSignOut();
  const tasks = (q: string) => void navigate({ to: "/p/$project/tasks", params: { project }, search: { q } });
  const allowed = usePlaces();
  const places: Entry[] = [...allowed, CONNECT].map(({ to, label, icon, keys }) => ({
    label: `Go to ${label}`,
    icon,
    keys,
    run: () => void navigate({ to, params: { project } }),
  }));
  const filters: Entry[] = [
    { label: "Tasks that failed in the last hour", icon: "tasks", run: () => tasks("state:failed since:1h") },
    { label: "Tasks that run now", icon: "tasks", run: () => tasks("state:running") },
    { label: "Tasks that wait", icon: "tasks", run: () => tasks("state:queued,received") },
  ];
  const projects: Entry[] = session.projects
    .filter(({ slug }) => slug !== project)
    .map(({ slug, name }) => ({
      label: `Project ${name}`,
      icon: "chevron",
      run: () => void navigate({ to: "/p/$project", params: { project: slug } }),
    }));
  const rest: Entry[] = [
    { label: "Light or dark theme", icon: "moon", keys: "t", run: toggleTheme },
    { label: "Local time or UTC", icon: "globe", keys: "u", run: toggleZone },
    { label: "Keyboard and filter help", icon: "help", keys: "?", run: openHelp },
    {
      label: "Your account: password, passkeys, authenticator app, sessions",
      icon: "agents",
      run: () => void navigate({ to: "/account", search: { from: project } }),
    },
    { label: "Sign out", icon: "out", run: leave },
  ];
  const typed = text.trim().toLowerCase();
  const fitting = [...places, ...filters, ...projects, ...rest].filter(({ label }) =>
    typed.split(/\s+/).every((word) => label.toLowerCase().includes(word)),
  );
  if (!typed) return fitting;
  const search: Entry = { label: `Search tasks for “${text.trim()}”`, icon: "search", run: () => tasks(text.trim()) };
  return typed.includes(":") ? [search, ...fitting] : [...fitting, search];
}

function Entries({ onClose }: { onClose: () => void }) {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const entries = useEntries(text);
  useEffect(() => {
    document.getElementById(`palette-${at}`)?.scrollIntoView({ block: "nearest" });
  }, [at]);
  const take = (entry: Entry | undefined) => {
    onClose();
    entry?.run();
  };
  const press = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setAt((at + step + entries.length) % Math.max(1, entries.length));
    else if (event.key === "Enter") take(entries[at]);
    else return;
    event.preventDefault();
  };
  return (
    <>
      <div className="flex h-11 shrink-0 items-center gap-2 border-b border-line px-3">
        <Icon name="search" className="text-ink-3" />
        <input
          autoFocus
          role="combobox"
          aria-expanded="true"
          aria-controls="palette-list"
          aria-activedescendant={`palette-${at}`}
          aria-label="Search and commands"
          placeholder="Jump to a page, or search tasks"
          className="h-full flex-1 bg-transparent text-base outline-none"
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setAt(0);
          }}
          onKeyDown={press}
        />
        <Kbd>esc</Kbd>
      </div>
      <div id="palette-list" role="listbox" aria-label="Results" className="max-h-80 overflow-y-auto p-1">
        {entries.map((entry, index) => (
          <div
            key={entry.label}
            id={`palette-${index}`}
            role="option"
            aria-selected={index === at}
            onMouseMove={() => setAt(index)}
            onClick={() => take(entry)}
            className={cn(
              "flex h-8 cursor-pointer items-center gap-2.5 rounded-md px-2",
              index === at && "bg-selected",
            )}
          >
            <Icon name={entry.icon} className="text-ink-3" />
            <span className="flex-1 truncate">{entry.label}</span>
            {entry.keys?.split(" ").map((key) => <Kbd key={key}>{key}</Kbd>)}
          </div>
        ))}
      </div>
    </>
  );
}
