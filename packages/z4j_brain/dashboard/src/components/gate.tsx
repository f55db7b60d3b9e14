import type { ReactNode } from "react";
import { Brand } from "./shell/brand";

/** The frame of the pages before one is signed in. */
export function Gate({ title, lead, children }: { title: string; lead?: ReactNode; children: ReactNode }) {
  return (
    <main className="grid h-dvh place-items-center overflow-y-auto p-4">
      <div className="w-full max-w-88">
        <Brand className="mb-5" />
        <div className="rounded-lg border border-line bg-panel p-5 shadow-low">
          <h1 className="text-lg font-semibold">{title}</h1>
          {lead && <p className="mt-1 text-ink-2">{lead}</p>}
          {children}
        </div>
      </div>
    </main>
  );
}
