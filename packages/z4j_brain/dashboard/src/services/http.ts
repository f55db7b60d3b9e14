import { apiUrl } from "@/lib/app-root";
import { parseExact } from "./exact-json";

/** RFC 9457, as the brain writes it. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail?: string;
  errors?: { pointer: string; detail: string }[];
}

/** A refusal by the brain, or a failure to reach it (`status` 0). */
export class ApiError extends Error {
  readonly status: number;
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail ?? problem.title);
    this.name = "ApiError";
    this.status = problem.status;
    this.problem = problem;
  }

  /** The last part of the problem's type, for example "invalid-input". */
  get slug(): string {
    return this.problem.type.split("/").pop() ?? "";
  }
}

export interface List<T> {
  items: T[];
  next: string | null;
  count: number;
  count_capped: boolean;
  offset: number;
}

/** Pages of a list that `requestAll` reads at most. */
const MAX_PAGES = 10;
const PAGE = 200;

/** The list as one page of up to 2,000, for pages that group or order all of it; `next` tells that there is more. */
export async function requestAll<T extends { id: string }>(path: string, signal?: AbortSignal): Promise<List<T>> {
  const ask = (cursor: string | null) => request<List<T>>(`${path}${query({ cursor, limit: PAGE })}`, { signal });
  let page = await ask(null);
  const first = page;
  // What moved meanwhile may come twice: as it was seen last.
  const items = new Map(page.items.map((item) => [item.id, item]));
  for (let pages = 1; page.next !== null && pages < MAX_PAGES; pages += 1) {
    page = await ask(page.next);
    for (const item of page.items) items.set(item.id, item);
  }
  return { ...first, items: [...items.values()], next: page.next };
}

interface RequestOptions {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  body?: unknown;
  /** An already written JSON text, for bodies with numbers that JavaScript would round. */
  json?: string;
  headers?: Record<string, string>;
  /** Keep numbers that a double cannot hold; slower, so only where payloads are shown. */
  exact?: boolean;
  signal?: AbortSignal;
}

let csrfToken: string | null = null;
let onSignedOut: () => void = () => {};

/** Every unsafe request carries this token; the session service sets it. */
export function setCsrfToken(token: string | null): void {
  csrfToken = token;
}

/** What happens when the brain says that nobody is signed in any more. */
export function whenSignedOut(listener: () => void): void {
  onSignedOut = listener;
}

export async function request<T>(path: string, options: RequestOptions = {}): Promise<T> {
  const method = options.method ?? "GET";
  const headers: Record<string, string> = { Accept: "application/json", ...options.headers };
  const body = options.json ?? (options.body === undefined ? undefined : JSON.stringify(options.body));
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (method !== "GET" && csrfToken) headers["X-CSRF-Token"] = csrfToken;
  const response = await reach(apiUrl(path), { method, headers, body, signal: options.signal });
  if (!response.ok) throw await refusal(response, path);
  if (response.status === 204) return undefined as T;
  return options.exact ? (parseExact(await response.text()) as T) : ((await response.json()) as T);
}

async function reach(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { ...init, credentials: "same-origin" });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ApiError({
      type: "/problems/unreachable",
      title: "The server cannot be reached",
      status: 0,
      detail: "The z4j server does not answer. It is asked again by itself.",
    });
  }
}

async function refusal(response: Response, path: string): Promise<ApiError> {
  let problem: Problem;
  try {
    problem = (await response.json()) as Problem;
  } catch {
    problem = { type: "about:blank", title: response.statusText, status: response.status };
  }
  const error = new ApiError({
    ...problem,
    status: response.status,
    type: problem.type ?? "about:blank",
    title: problem.title ?? `The server answered ${response.status}`,
  });
  if (response.status === 401 && !path.startsWith("/sign-in")) onSignedOut();
  return error;
}

/** Only a failure that may pass is asked again: no answer, or the server's own fault. */
export function mayPass(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 0 || error.status >= 500);
}

export function query(parameters: Record<string, string | number | null | undefined>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined && value !== "") search.set(name, String(value));
  }
  const text = search.toString();
  return text ? `?${text}` : "";
}
