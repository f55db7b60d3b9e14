import { queryOptions } from "@tanstack/react-query";
import { request } from "./http";

export interface Facets {
  states: string[];
  queues: { engine: string; queue: string }[];
  names: string[];
  workers: string[];
  engines: string[];
}

export function facetsQuery(project: string) {
  return queryOptions({
    queryKey: ["facets", project],
    queryFn: ({ signal }) =>
      request<Facets>(`/projects/${encodeURIComponent(project)}/facets`, { signal }),
    staleTime: 60_000,
  });
}
