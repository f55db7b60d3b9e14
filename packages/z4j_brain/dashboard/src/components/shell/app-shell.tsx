import { useNavigate } from "@tanstack/react-router";
import { createContext, type ReactNode, use, useMemo, useState } from "react";
import { usePlaces } from "@/hooks/use-places";
import { useProject } from "@/hooks/use-project";
import { useShortcuts } from "@/hooks/use-shortcuts";
import { toggleTheme } from "@/lib/theme";
import { toggleZone } from "@/time/clock";
import { HelpDialog } from "./help-dialog";
import { CONNECT } from "./navigation";
import { Palette } from "./palette";
import { Sidebar, TabBar } from "./sidebar";

interface Shell {
  openPalette: () => void;
  openHelp: () => void;
}

const ShellContext = createContext<Shell>({ openPalette: () => {}, openHelp: () => {} });
export const useShell = (): Shell => use(ShellContext);

/** Sidebar (tab bar on a phone), the page, and what the keyboard opens anywhere. */
export function AppShell({ children }: { children: ReactNode }) {
  const { project } = useProject();
  const navigate = useNavigate();
  const [over, setOver] = useState<"palette" | "help" | null>(null);
  const places = usePlaces();
  const go = Object.fromEntries(
    [...places, CONNECT].map(({ keys, to }) => [keys, () => void navigate({ to, params: { project } })]),
  );
  useShortcuts({
    ...go,
    "mod+k": () => setOver("palette"),
    "?": () => setOver("help"),
    t: toggleTheme,
    u: toggleZone,
  });
  const shell = useMemo<Shell>(
    () => ({ openPalette: () => setOver("palette"), openHelp: () => setOver("help") }),
    [],
  );
  return (
    <ShellContext value={shell}>
      <div className="flex h-dvh flex-col sm:flex-row">
        <Sidebar />
        <div className="flex min-h-0 min-w-0 flex-1 flex-col">{children}</div>
        <TabBar />
      </div>
      <Palette open={over === "palette"} onClose={() => setOver(null)} />
      <HelpDialog open={over === "help"} onClose={() => setOver(null)} />
    </ShellContext>
  );
}
