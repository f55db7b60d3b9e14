import { createFileRoute } from "@tanstack/react-router";
import { ConnectPage } from "@/components/connect/connect-page";

export const Route = createFileRoute("/p/$project/connect")({ component: ConnectPage });
