import { createFileRoute } from "@tanstack/react-router";
import { InvitationPage } from "@/components/people/invitation-page";

export const Route = createFileRoute("/invitation")({ ssr: false, component: InvitationPage });
