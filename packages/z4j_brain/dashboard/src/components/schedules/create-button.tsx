import { useState } from "react";
import { ActionDialog } from "@/components/actions/action-dialog";
import { buttonOf } from "@/components/actions/labels";
import { Button } from "@/components/ui/button";
import { Icon } from "@/components/ui/icon";
import { Menu } from "@/components/ui/menu";
import { useProject } from "@/hooks/use-project";
import type { ActionView } from "@/services/actions";
import type { StoreView } from "@/services/schedules";

interface Offer {
  store: StoreView;
  action: ActionView;
}

/** What can be asked of a whole scheduler: nearly always a new schedule. */
export function CreateButton({ stores }: { stores: StoreView[] }) {
  const { access } = useProject();
  const [asked, setAsked] = useState<Offer | null>(null);
  const offers = stores.flatMap((store) =>
    store.actions
      .filter(({ target, permission }) => target === "scheduler" && access.permissions.includes(permission))
      .map((action) => ({ store, action })),
  );
  const [only] = offers;
  if (!only && !asked) return null;
  return (
    <>
      {only && offers.length === 1 ? (
        <Button onClick={() => setAsked(only)}>
          <Icon name="plus" className="size-3.5" />
          {buttonOf(only.action).label}
        </Button>
      ) : (
        <Menu
          label="New schedule"
          button={{ variant: "outline", size: "md" }}
          trigger={
            <>
              <Icon name="plus" className="size-3.5" />
              New schedule
            </>
          }
          items={offers.map((offer) => ({
            label: `${buttonOf(offer.action).label} · ${offer.store.scheduler}`,
            detail: offer.action.description,
            onSelect: () => setAsked(offer),
          }))}
        />
      )}
      {asked && (
        <ActionDialog
          action={asked.action}
          target={{ store: asked.store.store }}
          object={`the scheduler ${asked.store.scheduler}`}
          confirmBy={asked.store.scheduler}
          onClose={() => setAsked(null)}
        />
      )}
    </>
  );
}
