import type { SecondStepWay } from "@/services/session";

export interface ReturnedStep {
  token: string;
  ways: SecondStepWay[];
}

const WAYS: readonly SecondStepWay[] = ["passkey", "app", "recovery_code"];

/** Reads `TOKEN&way,way`, what follows `#` on the way back from the provider; null without a token. */
export function readStep(text: string): ReturnedStep | null {
  const [token = "", told = ""] = text.split("&");
  const names = told.split(",");
  return token ? { token, ways: WAYS.filter((way) => names.includes(way)) } : null;
}
