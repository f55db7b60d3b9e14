import { useState } from "react";
import { Button } from "@/components/ui/button";
import { Icon } from "@/components/ui/icon";
import { usePermission } from "@/hooks/use-project";
import { BulkDialog } from "./bulk-dialog";

/** Acts on the filter, not on the page: on all that match, shown or not. */
export function BulkButton({ q, total = "" }: { q: string; total?: string }) {
  const mayRun = usePermission("bulk.run");
  const [isOpen, setOpen] = useState(false);
  if (!mayRun) return null;
  const label = `Act on all ${total && `${total} `}that match`;
  return (
    <>
      <Button onClick={() => setOpen(true)} title={label} aria-label={label}>
        <Icon name="bulk" className="size-3.5" />
        <span className="hidden lg:inline">Act on all</span>
      </Button>
      {isOpen && <BulkDialog q={q} onClose={() => setOpen(false)} />}
    </>
  );
}
