import { createFileRoute } from "@tanstack/react-router";
import { IssuePage } from "@/components/issues/issue-page";

export const Route = createFileRoute("/p/$project/issues/$id")({ component: Issue });

function Issue() {
  const { id } = Route.useParams();
  // Another issue is another page: an open menu of the last one must not stay.
  return <IssuePage key={id} id={id} />;
}
