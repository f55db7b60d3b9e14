import type { UseInfiniteQueryResult } from "@tanstack/react-query";
import { Button } from "./button";

type Pages = Pick<UseInfiniteQueryResult, "hasNextPage" | "isFetchingNextPage" | "fetchNextPage">;

/** The foot of a list that is read page by page; nothing when all of it is there. */
export function LoadMore({ of: { hasNextPage, isFetchingNextPage, fetchNextPage } }: { of: Pages }) {
  if (!hasNextPage) return null;
  return (
    <div className="flex justify-center p-2">
      <Button size="sm" disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
        {isFetchingNextPage ? "Loading …" : "Load more"}
      </Button>
    </div>
  );
}
