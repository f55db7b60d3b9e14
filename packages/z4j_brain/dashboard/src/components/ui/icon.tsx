import { cn } from "@/lib/cn";

// Drawn on a grid of 16, one stroke width, so that they sit well beside 13 px text.
const PATHS = {
  overview: "M2.5 13.5h11M4.5 11V8M8 11V3.5M11.5 11V6",
  tasks: "M5.5 4h8M5.5 8h8M5.5 12h8M2.5 4h.01M2.5 8h.01M2.5 12h.01",
  issues: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 5v3.500M8 11h.01",
  names: "M2.5 13 6 3.500h.5L10 13M3.800 9.500h5M11.500 6h2.500M11.500 9h2.500M12.500 12h1.500",
  queues: "M2.5 4.500v7M5.5 4.500v7M8.5 4.500v7M11 8h3M12.5 6.5 14 8l-1.500 1.500",
  schedules: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 4.500V8l2.500 1.500",
  workers: "M3 3h10v4H3zM3 9h10v4H3zM5.2 5h.01M5.2 11h.01",
  commands: "M3 4.5 6.5 8 3 11.5M8.5 12H13",
  bulk: "M2.500 4h6M2.500 8h4M2.500 12h4M9 10.500l2 2 3.500-5",
  agents: "M10.5 6.5a2.5 2.5 0 1 0-4 2L3 12v1.5h2V12h1.5v-1.5l1.3-1.3a2.5 2.5 0 0 0 2.7-2.7z",
  people: "M6 8a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5zM1.500 13.500a4.500 4.500 0 0 1 9 0M11 3.200a2.500 2.500 0 0 1 0 4.600M12.500 9.800a4.500 4.500 0 0 1 2 3.700",
  keys: "M5 11.500a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM7.800 8.500H14M11.500 8.500v2.500M14 8.500v1.500",
  redaction: "M2 8s2.300-4 6-4 6 4 6 4-2.300 4-6 4-6-4-6-4zM6.300 8h3.400M3 13 13 3",
  audit: "M8 1.5 13 3.500v4c0 3.500-2.2 5.7-5 7-2.8-1.300-5-3.500-5-7v-4zM5.8 7.800 7.4 9.400l3-3.200",
  settings: "M2.5 4.500h6.500M12 4.500h1.500M10.500 3v3M2.500 8H4M7 8h6.500M5.500 6.500v3M2.500 11.500h6.500M12 11.500h1.500M10.500 10v3",
  connect: "M6.5 9.5 4.8 11.2a2.3 2.3 0 0 1-3.2-3.2L4 5.6a2.3 2.3 0 0 1 3.2 0M9.5 6.5l1.7-1.7A2.3 2.3 0 0 1 14.4 8L12 10.400a2.3 2.3 0 0 1-3.2 0",
  search: "M7 11.500a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.3 10.3 13.5 13.5",
  close: "M4 4l8 8M12 4l-8 8",
  check: "M3 8.5 6.5 12 13 4.5",
  copy: "M5.5 5.500v-3h8v8h-3M2.5 5.500h8v8h-8z",
  chevron: "M6 4l4 4-4 4",
  down: "M4 6l4 4 4-4",
  pause: "M5.5 3.500v9M10.5 3.500v9",
  play: "M5 3.500v9l7.5-4.500z",
  retry: "M13 8a5 5 0 1 1-1.6-3.700M13 2.500V5h-2.5",
  stop: "M8 13.500a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11zM5.5 8h5",
  edit: "M3 13h2.500L13 5.5 10.5 3 3 10.500z",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  sun: "M8 10.800a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.600zM8 1.500v1.200M8 13.300v1.200M1.5 8h1.200M13.3 8h1.200M3.4 3.400l.9.9M11.7 11.700l.9.9M3.4 12.600l.9-.9M11.7 4.300l.9-.9",
  moon: "M13 9.500A5.5 5.5 0 0 1 6.5 3a5.5 5.5 0 1 0 6.5 6.500z",
  globe: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM2 8h12M8 2c2 2 2.5 4 2.5 6S10 12 8 14c-2-2-2.5-4-2.5-6S6 4 8 2z",
  out: "M6.5 3H3v10h3.500M7 8h6.500M11 5.5 13.5 8 11 10.5",
  alert: "M8 2.5 14.5 13.500h-13zM8 6.500v3M8 11.500h.01",
  plus: "M8 3v10M3 8h10",
  help: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM6.2 6.500A1.8 1.8 0 1 1 8.5 8.200c-.4.2-.5.5-.5 1M8 11.300h.01",
  link: "M6 10l4-4M7 4.500l1-1a3 3 0 0 1 4.5 4.500l-1 1M9 11.500l-1 1A3 3 0 0 1 3.5 8l1-1",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, className }: { name: IconName; className?: string }) {
  return (
    <svg
      viewBox="0 0 16 16"
      aria-hidden="true"
      className={cn("size-4 shrink-0", className)}
      fill="none"
      stroke="currentColor"
      strokeWidth="1.4"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
