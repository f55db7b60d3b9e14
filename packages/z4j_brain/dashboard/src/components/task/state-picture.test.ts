import { describe, expect, it } from "vitest";
import type { Attempt, TaskDetail } from "@/services/tasks";
import { stepsOf } from "./state-picture";

const at = "2026-01-01T00:00:00Z";
const attempt = (state: string, started = true) =>
  ({ state, published_at: at, received_at: at, started_at: started ? at : null }) as Attempt;
const said = (state: string, attempts: Attempt[]) =>
  stepsOf({ state, attempts, published_at: null, received_at: null, started_at: null } as unknown as TaskDetail).map(
    (step) => `${step.state} ${step.is}`,
  );

describe("stepsOf", () => {
  it("shows what a running task passed and what is ahead", () => {
    expect(said("running", [attempt("running")])).toEqual([
      "queued passed", "received passed", "running now", "succeeded ahead",
    ]);
  });
  it("shows retries on the way to the end", () => {
    expect(said("failed", [attempt("retrying"), attempt("failed")])).toEqual([
      "queued passed", "received passed", "running passed", "retrying passed", "failed now",
    ]);
  });
  it("does not claim that a cancelled task ran", () => {
    expect(said("cancelled", [attempt("cancelled", false)])).toEqual([
      "queued passed", "received passed", "running skipped", "cancelled now",
    ]);
  });
  it("waits", () => {
    expect(said("queued", [])).toEqual(["queued now", "received ahead", "running ahead", "succeeded ahead"]);
  });
});
