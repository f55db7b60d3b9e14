import { ApiError } from "@/services/http";

/** What the server said about a form, unless it is said beside one of the fields. */
export function RemoteFault({ error, fields = [] }: { error: unknown; fields?: readonly string[] }) {
  if (!error || fields.some((field) => faultOf(error, field))) return null;
  return (
    <p role="alert" className="text-bad">
      {error instanceof Error ? error.message : String(error)}
    </p>
  );
}

/** What the server said about one field, for example "/email". */
export function faultOf(error: unknown, pointer: string): string | null {
  if (!(error instanceof ApiError)) return null;
  return error.problem.errors?.find((each) => each.pointer === pointer)?.detail ?? null;
}
