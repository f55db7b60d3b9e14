import { createFileRoute } from "@tanstack/react-router";
import { PeoplePage } from "@/components/people/people-page";

export const Route = createFileRoute("/p/$project/people")({ component: PeoplePage });
