import { createFileRoute } from "@tanstack/react-router";
import { BulkRunsPage } from "@/components/bulk/bulk-runs-page";

export const Route = createFileRoute("/p/$project/bulk/")({ component: BulkRunsPage });
