import { useEffect, useRef } from "react";

export type Shortcuts = Record<string, (event: KeyboardEvent) => void>;

const SEQUENCE_MS = 1200;

/** "g t", "?", "mod+k": the key as typed; letters with modifiers only as "mod+". */
export function nameOf(event: Pick<KeyboardEvent, "key" | "metaKey" | "ctrlKey" | "altKey">): string {
  const key = event.key.length === 1 ? event.key : event.key.toLowerCase();
  if (event.metaKey || event.ctrlKey) return `mod+${key.toLowerCase()}`;
  return event.altKey ? `alt+${key}` : key;
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

/** Listens while mounted. Keys typed into fields, and keys under an open dialog, are left alone,
 * except those with the modifier. */
export function useShortcuts(shortcuts: Shortcuts): void {
  const newest = useRef(shortcuts);
  useEffect(() => {
    newest.current = shortcuts;
  });
  useEffect(() => {
    let first: { key: string; at: number } | null = null;
    const press = (event: KeyboardEvent) => {
      const name = nameOf(event);
      const isBusy = isTyping(event.target) || document.querySelector("dialog[open]") !== null;
      if (event.defaultPrevented || (isBusy && !name.startsWith("mod+"))) return;
      const joined = first && event.timeStamp - first.at < SEQUENCE_MS ? `${first.key} ${name}` : "";
      first = { key: name, at: event.timeStamp };
      const action = newest.current[joined] ?? newest.current[name];
      if (!action) return;
      first = null;
      event.preventDefault();
      action(event);
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, []);
}
