import { useEffect, useState } from "react";
import { Input } from "@/components/ui/input";
import type { AuditFilter } from "@/services/audit";

const PAUSE_MS = 300;
const FIELDS = [
  { name: "actor", label: "Who", placeholder: "Who: ada@example.org" },
  { name: "action", label: "What", placeholder: "What: command" },
  { name: "object", label: "To what", placeholder: "To what: name or id" },
] as const;

interface AuditFilterBarProps {
  filter: AuditFilter;
  onFilter: (next: AuditFilter) => void;
}

/** Asks a moment after the last letter, so that each letter is no request. */
export function AuditFilterBar({ filter, onFilter }: AuditFilterBarProps) {
  const [draft, setDraft] = useState(filter);
  useEffect(() => {
    const next = { ...trimmed(draft), ...(filter.of ? { of: filter.of } : {}) };
    if (FIELDS.every(({ name }) => next[name] === filter[name])) return;
    const timer = setTimeout(() => onFilter(next), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [draft, filter, onFilter]);
  return (
    <>
      {FIELDS.map(({ name, label, placeholder }) => (
        <Input
          key={name}
          type="search"
          aria-label={label}
          placeholder={placeholder}
          maxLength={200}
          className="w-full sm:w-56"
          value={draft[name] ?? ""}
          onChange={(event) => setDraft({ ...draft, [name]: event.target.value })}
        />
      ))}
    </>
  );
}

function trimmed(draft: AuditFilter): AuditFilter {
  const pairs = FIELDS.map(({ name }) => [name, draft[name]?.trim()] as const);
  return Object.fromEntries(pairs.filter(([, text]) => text));
}
