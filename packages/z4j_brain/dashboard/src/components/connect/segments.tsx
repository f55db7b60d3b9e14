import { useId } from "react";
import type { Choice } from "./steps";

interface SegmentsProps<T extends string> {
  legend: string;
  options: readonly Choice<T>[];
  value: T;
  onChange: (value: T) => void;
}

/** A few choices side by side: radio buttons, so arrow keys move between them. */
export function Segments<T extends string>({ legend, options, value, onChange }: SegmentsProps<T>) {
  const group = useId();
  return (
    <fieldset className="flex items-center gap-2">
      <legend className="float-left mr-2 text-xs font-medium text-ink-2">{legend}</legend>
      <div className="flex rounded-md border border-line bg-sunken p-0.5">
        {options.map((option) => (
          <label
            key={option.value}
            title={option.title}
            className="cursor-pointer rounded-sm px-2.5 text-xs leading-5.5 text-ink-2 hover:text-ink has-checked:bg-panel has-checked:font-medium has-checked:text-ink has-checked:shadow-low has-focus-visible:outline-2 has-focus-visible:outline-offset-1 has-focus-visible:outline-[var(--focus)]"
          >
            <input
              type="radio"
              name={group}
              className="sr-only"
              checked={option.value === value}
              onChange={() => onChange(option.value)}
            />
            {option.label}
          </label>
        ))}
      </div>
    </fieldset>
  );
}
