import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from "react";
import { Icon } from "@/components/ui/icon";
import { Kbd } from "@/components/ui/note";
import { accept, complete } from "@/filter/complete";
import { parseFilter } from "@/filter/language";
import { useProject } from "@/hooks/use-project";
import { useShortcuts } from "@/hooks/use-shortcuts";
import { cn } from "@/lib/cn";
import { facetsQuery } from "@/services/facets";

interface FilterBarProps {
  value: string;
  onChange: (value: string) => void;
  fault?: string | null;
}

/** The filter language with completion; it applies on Enter and shortly after typing stops. */
export function FilterBar({ value, onChange, fault }: FilterBarProps) {
  const { project } = useProject();
  const facets = useQuery(facetsQuery(project)).data;
  const [text, setText] = useState(value);
  const [caret, setCaret] = useState(value.length);
  const [isOpen, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const input = useRef<HTMLInputElement>(null);
  const listId = useId();
  useEffect(() => {
    setText((now) => (now.trim() === value ? now : value));
  }, [value]);
  useShortcuts({ "/": () => input.current?.focus() });

  const completion = useMemo(() => complete(text, caret, facets), [text, caret, facets]);
  const faults = useMemo(() => parseFilter(text).faults, [text]);
  const said = faults[0]?.message ?? fault ?? null;
  useEffect(() => {
    const next = text.trim();
    if (next === value || faults.length) return;
    const timer = setTimeout(() => onChange(next), 350);
    return () => clearTimeout(timer);
  }, [faults.length, onChange, text, value]);

  const choose = (index: number) => {
    const item = completion.items[index];
    if (!item) return;
    const taken = accept(text, completion, item);
    setText(taken.text);
    setCaret(taken.caret);
    setAt(-1);
    setOpen(true);
    requestAnimationFrame(() => input.current?.setSelectionRange(taken.caret, taken.caret));
  };
  const press = (event: KeyboardEvent<HTMLInputElement>) => {
    const count = completion.items.length;
    if ((event.key === "ArrowDown" || event.key === "ArrowUp") && count) {
      setOpen(true);
      const step = event.key === "ArrowDown" ? 1 : -1;
      setAt((now) => (now + step + count + (now < 0 && step < 0 ? 1 : 0)) % count);
    } else if (event.key === "Tab" && isOpen && count && (at >= 0 || text.slice(completion.from, caret))) {
      choose(Math.max(at, 0));
    } else if (event.key === "Enter") {
      if (isOpen && at >= 0) choose(at);
      else {
        setOpen(false);
        if (!faults.length) onChange(text.trim());
        input.current?.blur();
      }
    } else if (event.key === "Escape") {
      if (isOpen) setOpen(false);
      else input.current?.blur();
    } else return;
    event.preventDefault();
  };
  const isShown = isOpen && completion.items.length > 0;
  return (
    <div className="relative min-w-0 flex-1">
      <Icon name="search" className="pointer-events-none absolute top-1.5 left-2 text-ink-3" />
      <input
        ref={input}
        role="combobox"
        aria-label="Filter tasks"
        aria-expanded={isShown}
        aria-controls={listId}
        aria-autocomplete="list"
        aria-activedescendant={isShown && at >= 0 ? `${listId}-${at}` : undefined}
        aria-invalid={said ? true : undefined}
        aria-describedby={said ? `${listId}-fault` : undefined}
        spellCheck={false}
        autoCapitalize="off"
        autoComplete="off"
        placeholder="state:failed queue:email name:~invoice since:1h"
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setCaret(event.target.selectionStart ?? event.target.value.length);
          setAt(-1);
          setOpen(true);
        }}
        onSelect={(event) => setCaret(event.currentTarget.selectionStart ?? 0)}
        onFocus={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onKeyDown={press}
        className="mono h-7 w-full rounded-md border border-line-strong bg-panel pr-8 pl-8 aria-invalid:border-bad"
      />
      <span className="absolute top-1 right-1.5">
        {text ? (
          <button
            type="button"
            aria-label="Clear the filter"
            className="grid size-5 place-items-center rounded-sm text-ink-3 hover:bg-hover hover:text-ink"
            onClick={() => {
              setText("");
              onChange("");
            }}
          >
            <Icon name="close" className="size-3.5" />
          </button>
        ) : (
          <Kbd>/</Kbd>
        )}
      </span>
      {isShown && (
        <div
          id={listId}
          role="listbox"
          aria-label="Suggestions"
          className="absolute top-full left-0 z-30 mt-1 w-full max-w-md overflow-hidden rounded-md border border-line bg-panel p-1 shadow-high"
        >
          {completion.items.map((item, index) => (
            <div
              key={item.label}
              id={`${listId}-${index}`}
              role="option"
              aria-selected={index === at}
              onMouseDown={(event) => {
                event.preventDefault();
                choose(index);
              }}
              className={cn(
                "flex h-6 cursor-pointer items-center justify-between gap-4 rounded-sm px-2 hover:bg-hover",
                index === at && "bg-selected",
              )}
            >
              <code className="truncate">{item.label}</code>
              <span className="truncate text-xs text-ink-3">{item.detail}</span>
            </div>
          ))}
        </div>
      )}
      {said && (
        <p id={`${listId}-fault`} role="alert" className="pt-1 text-xs text-bad">
          {said}
        </p>
      )}
    </div>
  );
}
