import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect } from "react";
import { Brand } from "@/components/shell/brand";
import { ThemeButton, useSignOut, ZoneButton } from "@/components/shell/sidebar";
import { Button, buttonVariants } from "@/components/ui/button";
import { Icon } from "@/components/ui/icon";
import { type Session, sessionQuery } from "@/services/session";
import { IdentityPanel } from "./identity-panel";
import { PasskeyPanel } from "./passkey-panel";
import { PasswordForm } from "./password-form";
import { SecondFactorPanel } from "./second-factor-panel";
import { SessionList } from "./session-list";

interface AccountPageProps {
  /** The project that one came from. */
  from?: string;
  isChanged: boolean;
}

/** One's own account. It belongs to no project, and is all there is while a second step is owed. */
export function AccountPage({ from, isChanged }: AccountPageProps) {
  const { data: session } = useQuery(sessionQuery);
  useEffect(() => {
    document.title = "Account · z4j";
  }, []);
  if (!session?.user) return null;
  const isOwed = session.second_factor_owed;
  return (
    <div className="flex h-dvh flex-col">
      <Header session={session} from={from} />
      <main className="min-h-0 flex-1 overflow-y-auto">
        <div className="mx-auto flex max-w-3xl flex-col gap-3 p-3 sm:p-4">
          <div>
            <p className="font-semibold">{session.user.name}</p>
            <p className="text-ink-2">{session.user.email}</p>
          </div>
          {isOwed && (
            <p role="status" className="rounded-md border border-warn/40 bg-warn/8 px-3 py-2">
              This server asks for a second step of sign-in. Set up a passkey or an authenticator app to go on.
            </p>
          )}
          {!isOwed && <IdentityPanel />}
          <PasskeyPanel isAdmin={session.user.is_admin} />
          <SecondFactorPanel />
          {!isOwed && <PasswordForm email={session.user.email} isChanged={isChanged} />}
          {!isOwed && <SessionList />}
        </div>
      </main>
    </div>
  );
}

function Header({ session, from }: { session: Session; from?: string }) {
  const leave = useSignOut();
  const back = session.projects.find(({ slug }) => slug === from) ?? session.projects[0];
  return (
    <header className="flex h-11 shrink-0 items-center gap-2 border-b border-line bg-panel px-3 sm:px-4">
      <Brand className="mr-2" />
      <h1 className="min-w-0 flex-1 truncate text-base font-semibold">Account</h1>
      {back && (
        <Link
          to="/p/$project"
          params={{ project: back.slug }}
          className={buttonVariants({ variant: "ghost", size: "sm", className: "min-w-0" })}
        >
          <span className="truncate">Back to {back.name}</span>
        </Link>
      )}
      <ThemeButton />
      <ZoneButton />
      <Button variant="ghost" size="icon-sm" aria-label="Sign out" title="Sign out" onClick={leave}>
        <Icon name="out" />
      </Button>
    </header>
  );
}
