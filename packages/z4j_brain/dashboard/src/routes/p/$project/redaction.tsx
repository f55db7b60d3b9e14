import { createFileRoute } from "@tanstack/react-router";
import { RedactionPage } from "@/components/redaction/redaction-page";

export const Route = createFileRoute("/p/$project/redaction")({ component: RedactionPage });
