import { ApiError } from "@/services/http";

/** What the brain says of one field of a form; null when it says nothing. */
export function faultOf(error: unknown, field: string): string | null {
  if (!(error instanceof ApiError)) return null;
  const fault = error.problem.errors?.find(({ pointer }) => pointer.replace(/^#?\//, "") === field);
  return fault?.detail ?? null;
}

/** What it says of the form as a whole; null when only fields are at fault. */
export function faultOfAll(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  return error instanceof ApiError && error.problem.errors?.length ? null : error.message;
}
