import { useQueryClient } from "@tanstack/react-query";
import {
  createContext,
  type ReactNode,
  useContext,
  useEffect,
  useRef,
  useState,
  useSyncExternalStore,
} from "react";
import type { LinkStatus } from "./connection";
import { type FeedListener, LiveFeed } from "./feed";

const Feed = createContext<LiveFeed | null>(null);

export function LiveProvider({ project, children }: { project: string; children: ReactNode }) {
  const client = useQueryClient();
  const [feed, setFeed] = useState<LiveFeed | null>(null);
  useEffect(() => {
    const next = new LiveFeed(project, client);
    setFeed(next);
    next.start();
    return () => next.stop();
  }, [project, client]);
  return <Feed value={feed}>{children}</Feed>;
}

export const useFeed = (): LiveFeed | null => useContext(Feed);

/** Calls the newest `listener` for each batch, without subscribing anew on every render. */
export function useLive(listener: FeedListener): void {
  const feed = useFeed();
  const newest = useRef(listener);
  useEffect(() => {
    newest.current = listener;
  });
  useEffect(
    () =>
      feed?.listen({
        batch: (batch) => newest.current.batch?.(batch),
        refresh: (offset, first) => newest.current.refresh?.(offset, first),
      }),
    [feed],
  );
}

const CONNECTING: LinkStatus = { state: "connecting", lagMs: null, heardAt: 0 };
const never = () => () => {};

export function useLinkStatus(): LinkStatus {
  const feed = useFeed();
  return useSyncExternalStore(
    feed?.subscribeStatus ?? never,
    feed?.status ?? (() => CONNECTING),
    () => CONNECTING,
  );
}
