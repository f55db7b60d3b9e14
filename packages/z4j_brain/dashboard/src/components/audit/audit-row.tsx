import { type ReactNode, useState } from "react";
import { JsonText } from "@/components/json-text";
import { Ago, Exact } from "@/components/time";
import { Dialog, DialogBody } from "@/components/ui/dialog";
import { cn } from "@/lib/cn";
import type { AuditEntry } from "@/services/audit";

const GRID =
  "grid grid-cols-[minmax(0,1fr)_minmax(0,1fr)_72px] sm:grid-cols-[64px_minmax(0,220px)_minmax(0,220px)_minmax(0,1fr)_84px] items-center gap-x-3 px-4";

export function AuditHead() {
  return (
    <div role="row" className={cn(GRID, "h-7 border-b border-line")}>
      <span role="columnheader" className="label hidden sm:block">Row</span>
      <span role="columnheader" className="label">What</span>
      <span role="columnheader" className="label hidden sm:block">Who</span>
      <span role="columnheader" className="label">To what</span>
      <span role="columnheader" className="label text-right">When</span>
    </div>
  );
}

export function AuditRow({ entry }: { entry: AuditEntry }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <div
        role="row"
        tabIndex={0}
        data-audit-number={entry.number}
        onClick={() => setOpen(true)}
        onKeyDown={(event) => {
          if (event.key === "Enter") setOpen(true);
        }}
        className={cn(GRID, "min-h-7 cursor-pointer border-b border-line/60 hover:bg-hover focus-visible:-outline-offset-2")}
      >
        <span role="cell" className="num hidden text-ink-3 sm:block">{entry.number}</span>
        <span role="cell" className="mono truncate font-medium" title={entry.action}>{entry.action}</span>
        <span role="cell" className="hidden truncate text-ink-2 sm:block" title={entry.actor.name}>
          {/* A key can have the name of a person. */}
          {entry.actor.kind !== "person" && <span className="text-ink-3">{entry.actor.kind} </span>}
          {entry.actor.name}
        </span>
        <span role="cell" className="truncate" title={entry.object.name}>
          <span className="text-ink-3">{entry.object.kind}</span> {entry.object.name}
        </span>
        <span role="cell" className="text-right text-ink-3"><Ago at={entry.at} /></span>
      </div>
      {isOpen && <EntryDialog entry={entry} onClose={() => setOpen(false)} />}
    </>
  );
}

function EntryDialog({ entry, onClose }: { entry: AuditEntry; onClose: () => void }) {
  return (
    <Dialog open onClose={onClose} title={entry.action}>
      <DialogBody>
        <dl className="grid grid-cols-[84px_minmax(0,1fr)] gap-y-1">
          <Line name="Row">{entry.number}</Line>
          <Line name="When"><Exact at={entry.at} /></Line>
          <Line name="Who">{entry.actor.name} <span className="text-ink-3">({entry.actor.kind})</span></Line>
          <Line name="From">{entry.address ?? "–"}</Line>
          <Line name="To what">{entry.object.kind} {entry.object.name}</Line>
          {entry.object.id && entry.object.id !== entry.object.name && <Line name="Its id">{entry.object.id}</Line>}
          <Line name="Request">{entry.request_id ?? "–"}</Line>
        </dl>
        {entry.before !== null && <Content title="Before" value={entry.before} />}
        {entry.after !== null && <Content title="After" value={entry.after} />}
      </DialogBody>
    </Dialog>
  );
}

function Line({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt className="text-ink-3">{name}</dt>
      <dd className="break-all">{children}</dd>
    </>
  );
}

function Content({ title, value }: { title: string; value: unknown }) {
  return (
    <section>
      <h3 className="label mb-1">{title}</h3>
      <JsonText value={value} />
    </section>
  );
}
