import type { ReactNode } from "react";
import { cn } from "@/lib/cn";
import { ApiError } from "@/services/http";
import { Button } from "./button";
import { Icon, type IconName } from "./icon";

/** What an empty page says: what is missing and the one step that brings it. */
export function Empty({
  icon = "tasks",
  title,
  children,
  className,
}: {
  icon?: IconName;
  title: string;
  children?: ReactNode;
  className?: string;
}) {
  return (
    <div className={cn("flex flex-col items-center gap-2 px-6 py-14 text-center", className)}>
      <span className="grid size-9 place-items-center rounded-full bg-sunken text-ink-3">
        <Icon name={icon} />
      </span>
      <p className="font-semibold">{title}</p>
      <div className="max-w-md text-ink-2">{children}</div>
    </div>
  );
}

export function Fault({ error, retry }: { error: unknown; retry?: () => void }) {
  const problem = error instanceof ApiError ? error.problem : null;
  const title = problem?.title ?? "Something went wrong in this page";
  const detail = problem?.detail ?? (error instanceof Error ? error.message : String(error));
  return (
    <div role="alert" className="m-3 flex items-start gap-2 rounded-md border border-bad/40 bg-bad/8 px-3 py-2">
      <Icon name="alert" className="mt-0.5 text-bad" />
      <div className="min-w-0 flex-1">
        <p className="font-medium">{title}</p>
        {detail !== title && <p className="text-ink-2">{detail}</p>}
        {problem?.errors?.map((each) => (
          <p key={each.pointer + each.detail} className="text-ink-2">
            {each.detail}
          </p>
        ))}
      </div>
      {retry && (
        <Button size="sm" onClick={retry}>
          Try again
        </Button>
      )}
    </div>
  );
}

export function Kbd({ children }: { children: ReactNode }) {
  return (
    <kbd className="inline-grid h-4.5 min-w-4.5 place-items-center rounded-sm border border-line-strong bg-sunken px-1 text-2xs text-ink-2">
      {children}
    </kbd>
  );
}

export function Loading({ rows = 8 }: { rows?: number }) {
  return (
    <div role="status" aria-label="Loading" className="flex flex-col gap-2 p-3">
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} className="breathe h-4 rounded-sm bg-hover" data-width={row % 4} />
      ))}
    </div>
  );
}
