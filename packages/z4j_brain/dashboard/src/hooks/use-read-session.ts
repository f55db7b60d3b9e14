import { useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { sessionQuery } from "@/services/session";

/** Reads one's projects and their names again, and shows them everywhere. */
export function useReadSession(): () => Promise<void> {
  const client = useQueryClient();
  const router = useRouter();
  return async () => {
    await client.fetchQuery({ ...sessionQuery, staleTime: 0 });
    await router.invalidate();
  };
}
