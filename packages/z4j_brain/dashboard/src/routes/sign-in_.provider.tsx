import { useQuery, useQueryClient } from "@tanstack/react-query";
import { createFileRoute, Link, useRouter } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { Gate } from "@/components/gate";
import { outcomeOf } from "@/components/sign-in/outcomes";
import { takeReturn } from "@/components/sign-in/return-address";
import { readStep } from "@/components/sign-in/returned-step";
import { SecondStepForm } from "@/components/sign-in/second-step-form";
import { buttonVariants } from "@/components/ui/button";
import { appRoot } from "@/lib/app-root";
import { type Session, sessionQuery } from "@/services/session";

/** Where the identity provider's way back ends: signed in, one more step, or why not. */
export const Route = createFileRoute("/sign-in_/provider")({
  ssr: false,
  validateSearch: (search: Record<string, unknown>): { outcome?: string } =>
    typeof search.outcome === "string" ? { outcome: search.outcome } : {},
  component: Arrived,
});

function Arrived() {
  const { outcome } = Route.useSearch();
  const [secondStep] = useState(takeStep);
  const client = useQueryClient();
  const router = useRouter();
  const session = useQuery(sessionQuery);
  const isEntered = outcome === "signed-in";
  useEffect(() => {
    if (isEntered) router.history.replace(`${appRoot()}${takeReturn() ?? "/"}`);
  }, [isEntered, router]);
  if (isEntered) return null;
  if (secondStep) {
    const enter = async (entered: Session) => {
      client.clear();
      client.setQueryData(sessionQuery.queryKey, entered);
      const next = takeReturn();
      if (next) router.history.push(`${appRoot()}${next}`);
      else await router.navigate({ to: "/" });
    };
    return (
      <SecondStepForm
        secondStep={secondStep.token}
        ways={secondStep.ways}
        onSignedIn={(entered) => void enter(entered)}
        onBack={() => void router.navigate({ to: "/sign-in" })}
      />
    );
  }
  const { title, lead } = outcomeOf(outcome ?? "");
  const isIn = Boolean(session.data?.user);
  return (
    <Gate title={title} lead={lead}>
      <Link
        to={isIn ? "/" : "/sign-in"}
        className={buttonVariants({ variant: "primary", size: "lg", className: "mt-4 w-full" })}
      >
        {isIn ? "Go on" : "Back to sign-in"}
      </Link>
    </Gate>
  );
}

/** The second step that is asked for, out of the address bar and the history. */
function takeStep() {
  const given = window.location.hash.slice(1);
  if (given) window.history.replaceState(window.history.state, "", window.location.pathname);
  return readStep(given);
}
