import type { QueueView } from "@/services/queues";
import { clock, count, duration, type Zone } from "@/time/format";

/** Where a name is not enough: the engine, and the kind of its broker. */
export function placeText({ engine, transport }: Pick<QueueView, "engine" | "transport">): string {
  return transport && transport !== engine ? `${engine} · ${transport}` : engine;
}

/** "as of 10:31" for a depth that nobody asks for any more; nothing for one of now. */
export function asOf({ stale, as_of }: Pick<QueueView, "stale" | "as_of">, zone: Zone): string | null {
  return stale && as_of ? `as of ${clock(as_of, zone, true)}` : null;
}

/** Why there is no depth. */
export function noDepth(queue: Pick<QueueView, "broker" | "as_of">, sampleS: number): string {
  if (queue.broker === null) return "No connected process tells which broker holds this queue.";
  if (sampleS === 0) return "Depths are not asked for: Z4J_QUEUE_SAMPLE_S is 0.";
  return queue.as_of === null ? "Not asked yet." : "Its broker cannot tell.";
}

/** How old the oldest waiting task is; "≥" and "~" would say less than the words in the title. */
export function oldestText({ oldest_ms }: Pick<QueueView, "oldest_ms">): string {
  return duration(oldest_ms);
}

/** Tasks a minute: whole from ten on. */
export function rate(value: number | null): string {
  if (value === null) return "–";
  return value >= 10 ? count(Math.round(value)) : String(value);
}

/** When the queue is empty if things stay as they are. */
export function drainText(queue: QueueView): string {
  if (queue.drain_s !== null) return queue.waiting === 0 ? "empty" : duration(queue.drain_s * 1000);
  if (queue.waiting === null || queue.stale || queue.arrivals_per_min === null) return "–";
  return queue.completions_per_min === 0 && queue.arrivals_per_min === 0 ? "stands still" : "grows";
}

/** Who takes tasks from it, in one line. */
export function consumersText(queue: Pick<QueueView, "consumer_count" | "broker_consumers" | "unconsumed">): string {
  if (queue.unconsumed) return "nobody";
  if (queue.consumer_count > 0) return count(queue.consumer_count);
  return queue.broker_consumers ? `${count(queue.broker_consumers)} by the broker` : "–";
}
