import { type ReactNode, useId } from "react";

interface FieldProps {
  label: string;
  hint?: ReactNode;
  fault?: string | null;
  optional?: boolean;
  children: (ids: { id: string; "aria-describedby"?: string; "aria-invalid"?: true }) => ReactNode;
}

/** A label, its control, and what there is to say about it, joined for screen readers. */
export function Field({ label, hint, fault, optional, children }: FieldProps) {
  const id = useId();
  const note = `${id}-note`;
  return (
    <div className="flex flex-col gap-1">
      <div className="flex items-baseline justify-between gap-2">
        <label htmlFor={id} className="text-xs font-medium text-ink-2">
          {label}
        </label>
        {optional && <span className="text-2xs text-ink-3">optional</span>}
      </div>
      {children({
        id,
        ...(hint || fault ? { "aria-describedby": note } : {}),
        ...(fault ? { "aria-invalid": true as const } : {}),
      })}
      {(fault || hint) && (
        <div id={note} className="text-xs">
          {fault && <p className="text-bad">{fault}</p>}
          {hint && <p className="text-ink-3">{hint}</p>}
        </div>
      )}
    </div>
  );
}
