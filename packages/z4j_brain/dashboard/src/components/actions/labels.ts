import type { IconName } from "@/components/ui/icon";
import type { ActionView } from "@/services/actions";

// For where only an action's name is known, and the icons that people look for.
const BUTTONS: Record<string, { label: string; icon: IconName }> = {
  retry: { label: "Retry", icon: "retry" },
  retry_edited: { label: "Retry with changes", icon: "edit" },
  run_now: { label: "Run now", icon: "play" },
  pause: { label: "Pause", icon: "pause" },
  resume: { label: "Resume", icon: "play" },
  cancel: { label: "Cancel", icon: "stop" },
};

/** What stands on the button of an action. */
export function buttonOf(action: Pick<ActionView, "name" | "title">): { label: string; icon: IconName | null } {
  const known = BUTTONS[action.name];
  // The engine's own title says more: RQ's "resume" is of all workers.
  return { label: action.title || known?.label || sentence(action.name), icon: known?.icon ?? null };
}

export function sentence(name: string): string {
  const words = name.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The order of buttons: the harmless and frequent first. */
export function byUse(one: ActionView, other: ActionView): number {
  const known = Object.keys(BUTTONS);
  const rank = (action: ActionView) => {
    const at = known.indexOf(action.name);
    return at < 0 ? known.length + Number(action.destructive) : at;
  };
  return rank(one) - rank(other) || one.name.localeCompare(other.name);
}
