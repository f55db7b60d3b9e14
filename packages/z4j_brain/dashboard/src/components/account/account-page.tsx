import { Page } from "@/components/shell/page";
import { useProject } from "@/hooks/use-project";
import { IdentityPanel } from "./identity-panel";
import { PasswordForm } from "./password-form";
import { SecondFactorPanel } from "./second-factor-panel";
import { SessionList } from "./session-list";

export function AccountPage({ isChanged }: { isChanged: boolean }) {
  const { session } = useProject();
  return (
    <Page title="Account">
      <div className="mx-auto flex max-w-3xl flex-col gap-3 p-3 sm:p-4">
        <div>
          <p className="font-semibold">{session.user?.name}</p>
          <p className="text-ink-2">{session.user?.email}</p>
        </div>
        <IdentityPanel />
        <SecondFactorPanel />
        <PasswordForm isChanged={isChanged} />
        <SessionList />
      </div>
    </Page>
  );
}
