import { createFileRoute } from "@tanstack/react-router";
import { WorkersPage } from "@/components/workers/workers-page";

export const Route = createFileRoute("/p/$project/workers/")({ component: WorkersPage });
