// Addresses are read and shared by people: plain names and values, and the characters of the
// filter language left as they are.
import type { AuditFilter } from "@/services/audit";
import { SCHEDULE_STATES, type ScheduleState } from "@/services/schedules";

export type Search = Record<string, string>;

export function parseSearch(text: string): Search {
  return Object.fromEntries(new URLSearchParams(text));
}

export function stringifySearch(search: Record<string, unknown>): string {
  const parts = Object.entries(search)
    .filter(([, value]) => value !== undefined && value !== null && value !== "")
    .map(([name, value]) => `${encode(name)}=${encode(String(value))}`);
  return parts.length ? `?${parts.join("&")}` : "";
}

function encode(text: string): string {
  return encodeURIComponent(text)
    .replaceAll("%20", "+")
    .replaceAll("%3A", ":")
    .replaceAll("%2C", ",");
}

/** What the task list keeps in its address; anything else is dropped. */
export function validateTaskSearch(search: Record<string, unknown>): { q?: string } {
  const q = typeof search.q === "string" ? search.q.slice(0, 1000).trim() : "";
  return q ? { q } : {};
}

/** What the list of issues keeps in its address; an open one needs no word. */
export function validateIssueSearch(search: Record<string, unknown>): { state?: "resolved" | "muted"; q?: string } {
  const q = typeof search.q === "string" ? search.q.slice(0, 200).trim() : "";
  const { state } = search;
  return {
    ...(state === "resolved" || state === "muted" ? { state } : {}),
    ...(q ? { q } : {}),
  };
}

/** What the list of schedules keeps in its address. */
export function validateScheduleSearch(search: Record<string, unknown>): { state?: ScheduleState } {
  const state = SCHEDULE_STATES.find((each) => each && each === search.state);
  return state ? { state } : {};
}

/** Which agent the Connect page watches. */
export function validateFollowed(search: Record<string, unknown>): { agent?: string } {
  return typeof search.agent === "string" && /^[0-9a-f-]{36}$/.test(search.agent) ? { agent: search.agent } : {};
}

/** What the audit log keeps in its address: whole names, ids or actions. */
export function validateAuditSearch(search: Record<string, unknown>): AuditFilter {
  const texts = (["actor", "action", "object"] as const).map((name) => {
    const value = search[name];
    return [name, typeof value === "string" ? value.slice(0, 200).trim() : ""] as const;
  });
  return {
    ...Object.fromEntries(texts.filter(([, text]) => text)),
    ...(search.of === "server" ? { of: "server" as const } : {}),
  };
}

/** An address inside this app, or null: a link must not send somebody elsewhere. */
export function safeNext(next: unknown): string | null {
  if (typeof next !== "string" || !/^\/(?![/\\])/.test(next)) return null;
  return /[\s\\]/.test(next) ? null : next;
}
