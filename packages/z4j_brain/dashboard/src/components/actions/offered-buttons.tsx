import { Button } from "@/components/ui/button";
import { Icon } from "@/components/ui/icon";
import type { ActionView } from "@/services/actions";
import { buttonOf } from "./labels";

export interface Offered {
  view: ActionView;
  /** Why it cannot be done now; null when it can. */
  obstacle: string | null;
}

/** One button for each action, greyed with its reason where it cannot be done now. */
export function OfferedButtons({ offered, onOpen }: { offered: Offered[]; onOpen: (view: ActionView) => void }) {
  return offered.map(({ view, obstacle }) => {
    const { label, icon } = buttonOf(view);
    return (
      <Button
        key={view.name}
        variant={view.destructive ? "danger" : "outline"}
        disabled={obstacle !== null}
        title={obstacle ?? view.description}
        onClick={() => onOpen(view)}
      >
        {icon && <Icon name={icon} className="size-3.5" />}
        {label}
      </Button>
    );
  });
}
