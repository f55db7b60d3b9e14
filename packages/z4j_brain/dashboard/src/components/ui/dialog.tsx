import { type ReactNode, useEffect, useId, useRef } from "react";
import { cn } from "@/lib/cn";
import { Icon } from "./icon";
import { Button } from "./button";

interface DialogProps {
  open: boolean;
  onClose: () => void;
  title: string;
  /** Hide the title bar; the title is then only told to screen readers. */
  bare?: boolean;
  className?: string;
  children: ReactNode;
}

const FIRST = "input, textarea, select, footer button:not([type=submit])";

/** The browser's own modal dialog: it keeps the focus inside, closes on Escape, and gives the
 * focus back, without a script or style of ours that a strict CSP would have to allow. */
export function Dialog({ open, onClose, title, bare, className, children }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const dialog = element.current;
    if (open && dialog && !dialog.open) {
      dialog.showModal();
      // The first field, else a button that changes nothing; never the one that acts.
      dialog.querySelector<HTMLElement>(FIRST)?.focus();
    }
    return () => dialog?.close();
  }, [open]);
  if (!open) return null;
  return (
    <dialog
      ref={element}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onMouseDown={(event) => {
        if (event.target === element.current) onClose();
      }}
      className={cn(
        "m-auto max-h-[85dvh] w-[min(34rem,calc(100vw-1.5rem))] overflow-hidden rounded-lg border border-line bg-panel p-0 shadow-high",
        bare && "mt-[12vh]",
        className,
      )}
    >
      <div className="flex max-h-[85dvh] flex-col">
        {bare ? (
          <h2 id={titleId} className="sr-only">
            {title}
          </h2>
        ) : (
          <header className="flex h-11 shrink-0 items-center justify-between border-b border-line pr-2 pl-4">
            <h2 id={titleId} className="truncate text-base font-semibold">
              {title}
            </h2>
            <Button variant="ghost" size="icon" aria-label="Close" onClick={onClose}>
              <Icon name="close" />
            </Button>
          </header>
        )}
        {children}
      </div>
    </dialog>
  );
}

export function DialogBody({ className, children }: { className?: string; children: ReactNode }) {
  return <div className={cn("flex flex-col gap-3 overflow-y-auto p-4", className)}>{children}</div>;
}

export function DialogFooter({ children }: { children: ReactNode }) {
  return (
    <footer className="flex shrink-0 flex-wrap items-center justify-end gap-2 border-t border-line bg-sunken px-4 py-2.5">
      {children}
    </footer>
  );
}
