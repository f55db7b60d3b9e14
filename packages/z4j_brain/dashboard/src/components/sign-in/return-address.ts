import { safeNext } from "@/lib/url-state";

const STORED = "z4j-return";

/** Keeps the page that was asked for while its reader is at the identity provider. */
export function keepReturn(next: string | undefined): void {
  if (next) sessionStorage.setItem(STORED, next);
  else sessionStorage.removeItem(STORED);
}

/** Where to go on; it is told once, and only when it is a page of ours. */
export function takeReturn(): string | null {
  const kept = safeNext(sessionStorage.getItem(STORED));
  sessionStorage.removeItem(STORED);
  return kept;
}
