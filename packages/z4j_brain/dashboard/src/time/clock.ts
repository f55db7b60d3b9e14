import { useSyncExternalStore } from "react";
import type { Zone } from "./format";

// One timer for every relative time on the page.
let now = 0;
let timer: ReturnType<typeof setInterval> | undefined;
const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (timer === undefined) {
    now = Date.now();
    timer = setInterval(() => {
      now = Date.now();
      for (const each of listeners) each();
    }, 1000);
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

function snapshot(): number {
  if (timer === undefined) now = Math.floor(Date.now() / 1000) * 1000;
  return now;
}

/** Milliseconds since the epoch, renewed once a second. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, snapshot, () => 0);
}

const ZONE = "z4j.zone";
let zone: Zone | null = null;
const zoneListeners = new Set<() => void>();

function readZone(): Zone {
  if (zone === null) {
    try {
      zone = localStorage.getItem(ZONE) === "utc" ? "utc" : "local";
    } catch {
      zone = "local";
    }
  }
  return zone;
}

export function useZone(): Zone {
  return useSyncExternalStore(
    (listener) => {
      zoneListeners.add(listener);
      return () => zoneListeners.delete(listener);
    },
    readZone,
    () => "local",
  );
}

export function toggleZone(): void {
  zone = readZone() === "utc" ? "local" : "utc";
  try {
    localStorage.setItem(ZONE, zone);
  } catch {
    // The choice then lasts until the page is left.
  }
  for (const listener of zoneListeners) listener();
}
