import { type ReactNode, useEffect, useRef, useState } from "react";
import { cn } from "@/lib/cn";
import { Button, type ButtonProps } from "./button";

interface MenuItem {
  label: string;
  detail?: string;
  danger?: boolean;
  disabled?: boolean;
  onSelect: () => void;
}

interface MenuProps {
  label: string;
  trigger: ReactNode;
  items: MenuItem[];
  button?: Partial<ButtonProps>;
  align?: "start" | "end";
}

/** A button that opens a list of things to do; arrow keys, Home, End and Escape work. */
export function Menu({ label, trigger, items, button, align = "end" }: MenuProps) {
  const [isOpen, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!isOpen) return;
    box.current?.querySelector<HTMLElement>("[role=menuitem]")?.focus();
    const close = (event: MouseEvent) => {
      if (!box.current?.parentElement?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("mousedown", close);
    return () => document.removeEventListener("mousedown", close);
  }, [isOpen]);
  const leave = () => {
    setOpen(false);
    opener.current?.focus();
  };
  return (
    <div
      className="relative"
      onClick={(event) => event.stopPropagation()}
      onKeyDown={(event) => {
        if (!isOpen) return;
        if (event.key === "Escape") {
          event.stopPropagation();
          leave();
        }
        move(event, box.current);
      }}
    >
      <Button
        ref={opener}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        aria-label={label}
        onClick={() => setOpen(!isOpen)}
        {...button}
      >
        {trigger}
      </Button>
      {isOpen && (
        <div
          ref={box}
          role="menu"
          aria-label={label}
          className={cn(
            "absolute top-full z-30 mt-1 max-h-[70dvh] min-w-48 overflow-y-auto rounded-md border border-line bg-panel p-1 shadow-high",
            align === "end" ? "right-0" : "left-0",
          )}
        >
          {items.map((item, at) => (
            <button
              key={at}
              type="button"
              role="menuitem"
              disabled={item.disabled}
              onClick={() => {
                leave();
                item.onSelect();
              }}
              className={cn(
                "block w-full rounded-sm px-2 py-1 text-left hover:bg-hover focus-visible:bg-hover focus-visible:outline-none disabled:opacity-50",
                item.danger && "text-bad",
              )}
            >
              {item.label}
              {item.detail && <span className="block text-xs text-ink-3">{item.detail}</span>}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

function move(event: React.KeyboardEvent, box: HTMLElement | null): void {
  const entries = [...(box?.querySelectorAll<HTMLElement>("[role=menuitem]:not(:disabled)") ?? [])];
  const at = entries.indexOf(document.activeElement as HTMLElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
  if (to === undefined || entries.length === 0) return;
  event.preventDefault();
  event.stopPropagation();
  entries.at(to % entries.length)?.focus();
}
