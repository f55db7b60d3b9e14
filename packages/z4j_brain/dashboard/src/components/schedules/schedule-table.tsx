import { Link, useNavigate } from "@tanstack/react-router";
import { Ago } from "@/components/time";
import { useProject } from "@/hooks/use-project";
import { cn } from "@/lib/cn";
import type { ScheduleView } from "@/services/schedules";
import { count } from "@/time/format";
import { driftText, OWNERS, stateOf, TONES } from "./say";

const HEADS: [string, string, string?][] = [
  ["Schedule", "text-left"],
  ["Timing", "text-left hidden sm:table-cell"],
  ["Owner", "text-left hidden lg:table-cell", "Where the truth stands, and what would undo a change"],
  ["Last run", "hidden md:table-cell"],
  ["Next run", ""],
  ["Misses", "hidden md:table-cell", "Times that it was due and did not run"],
  ["Drift", "hidden lg:table-cell", "How late the last run was"],
  ["State", "text-left"],
];

export function ScheduleTable({ schedules }: { schedules: ScheduleView[] }) {
  return (
    <table className="w-full border-collapse text-right" data-testid="schedule-table">
      <thead className="sticky top-0 z-10 bg-panel">
        <tr className="h-7 border-b border-line">
          {HEADS.map(([name, className, title]) => (
            <th key={name} scope="col" title={title} className={cn("label px-2 first:pl-4", className)}>
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {schedules.map((schedule) => (
          <Row key={schedule.id} schedule={schedule} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ schedule }: { schedule: ScheduleView }) {
  const { project } = useProject();
  const navigate = useNavigate();
  const aim = { to: "/p/$project/schedules/$id", params: { project, id: schedule.id } } as const;
  const state = stateOf(schedule);
  return (
    <tr
      data-schedule={schedule.schedule}
      data-state={state}
      onClick={() => void navigate(aim)}
      className="h-8 cursor-pointer border-b border-line/60 hover:bg-hover"
    >
      <td className="w-[34%] max-w-0 truncate pr-2 pl-4 text-left" title={`${schedule.name} · ${schedule.task ?? ""}`}>
        <Link {...aim} onClick={(event) => event.stopPropagation()} className="font-medium hover:text-accent hover:underline">
          {schedule.name}
        </Link>{" "}
        <span className="mono text-xs text-ink-3">{schedule.task}</span>
      </td>
      <td className="hidden max-w-48 truncate px-2 text-left text-ink-2 sm:table-cell" title={schedule.timezone ?? undefined}>
        {schedule.timing}
      </td>
      <td className="hidden px-2 text-left text-ink-2 lg:table-cell" title={schedule.undone_by ?? undefined}>
        {OWNERS[schedule.owner]} <span className="text-xs text-ink-3">{schedule.scheduler}</span>
      </td>
      <td className="hidden px-2 text-ink-2 md:table-cell">
        <Ago at={schedule.last_run_at} />
      </td>
      <td className="px-2 text-ink-2">
        <Ago at={schedule.enabled ? schedule.next_run_at : null} />
      </td>
      <td className={cn("num hidden px-2 md:table-cell", schedule.misses > 0 ? "font-medium text-warn" : "text-ink-3")}>
        {count(schedule.misses)}
      </td>
      <td className="num hidden px-2 text-ink-2 lg:table-cell">{driftText(schedule.drift_ms)}</td>
      <td className={cn("px-2 text-left", TONES[state])}>{state}</td>
    </tr>
  );
}
