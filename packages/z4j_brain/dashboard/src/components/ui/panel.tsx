import type { ReactNode } from "react";
import { cn } from "@/lib/cn";

interface PanelProps {
  title?: ReactNode;
  aside?: ReactNode;
  className?: string;
  children: ReactNode;
  label?: string;
}

export function Panel({ title, aside, className, children, label }: PanelProps) {
  const name = label ?? (typeof title === "string" ? title : undefined);
  return (
    <section
      aria-label={name}
      className={cn("min-w-0 rounded-lg border border-line bg-panel shadow-low", className)}
    >
      {(title || aside) && (
        <header className="flex min-h-9 items-center justify-between gap-3 border-b border-line px-3">
          <h2 className="text-sm font-semibold">{title}</h2>
          {aside && <div className="flex items-center gap-2 text-xs text-ink-3">{aside}</div>}
        </header>
      )}
      {children}
    </section>
  );
}
