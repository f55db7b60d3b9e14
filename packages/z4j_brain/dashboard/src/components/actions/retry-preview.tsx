import { JsonText } from "@/components/json-text";
import { Icon } from "@/components/ui/icon";
import { cn } from "@/lib/cn";
import type { TaskDetail } from "@/services/tasks";

/** Shows what will run again, and warns where the record is only a picture of the arguments. */
export function RetryPreview({ task, isEdited }: { task: TaskDetail; isEdited: boolean }) {
  // What a worker can open is told, and is no warning.
  const isWarning = isEdited || !task.exact_retry.can_be_opened;
  return (
    <div className="flex flex-col gap-2">
      <p className="text-ink-2">
        A new task <span className="mono text-ink">{task.name}</span> is published to{" "}
        <span className="mono text-ink">{task.queue ?? "its default queue"}</span>; this one stays as it is.
      </p>
      {!isEdited && (
        <JsonText value={{ args: task.args ?? [], kwargs: task.kwargs ?? {} }} />
      )}
      {!task.exact && (
        <p
          className={cn(
            "flex gap-2 rounded-md border px-2 py-1.5 text-xs",
            isWarning ? "border-warn/40 bg-warn/8" : "border-line text-ink-2",
          )}
        >
          <Icon name={isWarning ? "alert" : "keys"} className={cn("mt-px", isWarning && "text-warn")} />
          {isEdited
            ? "What stands below was redacted or shortened for the record. Put in the real values before you send it."
            : `These are shown redacted or shortened. ${task.exact_retry.text}`}
        </p>
      )}
    </div>
  );
}
