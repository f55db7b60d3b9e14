import type { BulkEstimate } from "@/services/bulk-runs";
import { cappedCount, count } from "@/time/format";

/** What a run would act on, and what to know before it is begun. */
export function Estimate({ found, states }: { found: BulkEstimate; states: string[] | null }) {
  const others = found.matching - found.eligible;
  const isPart = found.eligible_capped || found.looked_at < found.eligible;
  return (
    <div data-testid="bulk-estimate" data-eligible={found.eligible} className="rounded-md border border-line bg-sunken px-3 py-2">
      <p>
        <span className="num font-semibold">{cappedCount(found.eligible, found.eligible_capped)}</span>
        <span className="text-ink-2"> {found.eligible === 1 ? "task" : "tasks"}</span>
        {others > 0 && states && (
          <span className="text-ink-3">
            {" "}
            of {cappedCount(found.matching, found.matching_capped)} that match; the others are not {states.join(" or ")}
          </span>
        )}
      </p>
      <ul className="mt-1 flex flex-col gap-0.5 text-xs text-ink-2">
        {found.retried > 0 && (
          <li>
            <b className="num">{count(found.retried)}</b> were retried already
            {found.later_succeeded > 0 && (
              <>
                , and a retry of <b className="num">{count(found.later_succeeded)}</b> has succeeded
              </>
            )}
          </li>
        )}
        {found.alike > 0 && (
          <li>
            <b className="num">{count(found.alike)}</b> share their name and arguments with another one
          </li>
        )}
        {found.by_name.map(({ name, count: number }) => (
          <li key={name} className="flex justify-between gap-3">
            <span className="mono truncate">{name ?? "without a name"}</span>
            <span className="num text-ink-3">{count(number)}</span>
          </li>
        ))}
        {found.names > found.by_name.length && (
          <li className="text-ink-3">and {count(found.names - found.by_name.length)} other names</li>
        )}
      </ul>
      {isPart && (
        <p className="mt-1 text-xs text-ink-3">The newest {count(found.looked_at)} were looked at for this.</p>
      )}
    </div>
  );
}
