import { queryOptions } from "@tanstack/react-query";
import { request } from "./http";

export interface PatternRule {
  name: string;
  pattern: string;
  enabled: boolean;
}

export interface ProjectRules {
  keys: string[];
  patterns: PatternRule[];
  emails: boolean;
}

export interface Redaction {
  rules: ProjectRules;
  changed_at: string | null;
  changed_by: string | null;
  /** Why the stored rules cannot be used; all free text is then hidden. */
  fault: string | null;
  built_in: { name: string; what: string }[];
  emails_everywhere: boolean;
  counts: Record<string, number>;
  counted_since: string;
}

export interface Previewed {
  text: string;
  redactions: Record<string, number>;
  milliseconds: Record<string, number>;
  most_milliseconds: number;
}

/** As many characters as the server takes for a preview. */
export const MOST_PREVIEWED = 16_384;

const base = (project: string) => `/projects/${encodeURIComponent(project)}/redaction`;

export const redactionKeys = { rules: (project: string) => ["redaction", project] as const };

export function redactionQuery(project: string) {
  return queryOptions({
    queryKey: redactionKeys.rules(project),
    queryFn: ({ signal }) => request<Redaction>(base(project), { signal }),
    refetchInterval: 15_000,
  });
}

export function replaceRules(project: string, rules: ProjectRules) {
  return request<Redaction>(base(project), { method: "PUT", body: rules });
}

/** The text goes to the server and back; it is stored nowhere, here neither. */
export function previewQuery(project: string, text: string, rules: ProjectRules) {
  return queryOptions({
    queryKey: ["redaction-preview", project, text, rules] as const,
    queryFn: ({ signal }) =>
      request<Previewed>(`${base(project)}/preview`, { method: "POST", body: { text, rules }, signal }),
    gcTime: 0,
    retry: false,
    refetchOnWindowFocus: false,
  });
}
