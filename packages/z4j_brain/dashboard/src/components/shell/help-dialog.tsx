import { Dialog, DialogBody } from "@/components/ui/dialog";
import { Kbd } from "@/components/ui/note";
import { CONNECT, PLACES } from "./navigation";

const GROUPS: { title: string; keys: [string, string][] }[] = [
  {
    title: "Anywhere",
    keys: [
      ["mod k", "Search, jump and act"],
      ["/", "Filter tasks"],
      ["?", "This help"],
      ["t", "Light or dark"],
      ["u", "Local time or UTC"],
    ],
  },
  { title: "Go to", keys: [...PLACES, CONNECT].map(({ keys, label }) => [keys, label]) },
  {
    title: "Lists",
    keys: [
      ["j", "Next row"],
      ["k", "Previous row"],
      ["enter", "Open"],
      ["p", "Pause or go on"],
    ],
  },
  { title: "A task", keys: [["r", "Retry"], ["esc", "Close a dialog"]] },
];

const FILTER: [string, string][] = [
  ["state:failed,retrying", "one of several"],
  ["queue:email name:~invoice", "both; ~ means “contains”"],
  ["-worker:w3", "not"],
  ["since:1h until:15m", "between an hour and 15 minutes ago"],
  ["exception:ValueError", "failed with this type"],
  ["invoice", "in the name, or start of the id"],
];

export function HelpDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog open={open} onClose={onClose} title="Keyboard and filters" className="w-[min(42rem,calc(100vw-1.5rem))]">
      <DialogBody>
        <div className="grid gap-x-8 gap-y-4 sm:grid-cols-2">
          {GROUPS.map(({ title, keys }) => (
            <section key={title}>
              <h3 className="label mb-1">{title}</h3>
              <dl>
                {keys.map(([key, text]) => (
                  <div key={key} className="flex h-6 items-center justify-between">
                    <dt className="text-ink-2">{text}</dt>
                    <dd className="flex gap-1">
                      {key.split(" ").map((each) => (
                        <Kbd key={each}>{each}</Kbd>
                      ))}
                    </dd>
                  </div>
                ))}
              </dl>
            </section>
          ))}
        </div>
        <section className="border-t border-line pt-3">
          <h3 className="label mb-1">Filter language</h3>
          <dl>
            {FILTER.map(([term, text]) => (
              <div key={term} className="flex min-h-6 flex-wrap items-center justify-between gap-x-4">
                <dt>
                  <code>{term}</code>
                </dt>
                <dd className="text-ink-2">{text}</dd>
              </div>
            ))}
          </dl>
        </section>
      </DialogBody>
    </Dialog>
  );
}
