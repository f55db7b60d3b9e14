import { useQueryClient } from "@tanstack/react-query";
import { Link, useRouter } from "@tanstack/react-router";
import { Button } from "@/components/ui/button";
import { Icon } from "@/components/ui/icon";
import { usePlaces } from "@/hooks/use-places";
import { useProject } from "@/hooks/use-project";
import { toggleTheme, useTheme } from "@/lib/theme";
import { sessionQuery, signOut } from "@/services/session";
import { toggleZone, useZone } from "@/time/clock";
import { useShell } from "./app-shell";
import { Brand } from "./brand";
import { CONNECT, type Place } from "./navigation";
import { ProjectPicker } from "./project-picker";

export function Sidebar() {
  const places = usePlaces();
  return (
    <aside className="hidden w-44 shrink-0 flex-col border-r border-line bg-sunken sm:flex">
      <div className="flex h-11 items-center px-3">
        <Brand />
      </div>
      <div className="px-2 pb-2">
        <ProjectPicker />
      </div>
      <nav aria-label="Main" className="flex flex-1 flex-col gap-px overflow-y-auto px-2">
        {places.map((place) => (
          <NavLink key={place.to} place={place} />
        ))}
        <div className="mt-auto pt-4">
          <NavLink place={CONNECT} />
        </div>
      </nav>
      <Footer />
    </aside>
  );
}

function NavLink({ place }: { place: Place }) {
  const { project } = useProject();
  return (
    <Link
      to={place.to}
      params={{ project }}
      activeOptions={{ exact: place.to === "/p/$project", includeSearch: false }}
      title={`${place.label}  (${place.keys})`}
      className="flex h-7 items-center gap-2 rounded-md px-2 text-ink-2 hover:bg-hover hover:text-ink aria-[current=page]:bg-selected aria-[current=page]:font-medium aria-[current=page]:text-ink"
    >
      <Icon name={place.icon} />
      {place.label}
    </Link>
  );
}

function Footer() {
  const { project, session } = useProject();
  const { openHelp } = useShell();
  const leave = useSignOut();
  return (
    <div className="border-t border-line p-2">
      <div className="flex items-center justify-between">
        <ThemeButton />
        <ZoneButton />
        <Button variant="ghost" size="icon-sm" aria-label="Keyboard help" title="Keyboard (?)" onClick={openHelp}>
          <Icon name="help" />
        </Button>
        <Button variant="ghost" size="icon-sm" aria-label="Sign out" title="Sign out" onClick={leave}>
          <Icon name="out" />
        </Button>
      </div>
      <Link
        to="/account"
        search={{ from: project }}
        title={`Account of ${session.user?.email}`}
        className="mt-1 block truncate rounded-md px-1 py-0.5 text-2xs text-ink-3 hover:bg-hover hover:text-ink aria-[current=page]:bg-selected aria-[current=page]:text-ink"
      >
        {session.user?.name || session.user?.email}
      </Link>
    </div>
  );
}

export function ThemeButton() {
  const theme = useTheme();
  const other = theme === "dark" ? "light" : "dark";
  return (
    <Button variant="ghost" size="icon-sm" aria-label={`Use the ${other} theme`} title="Theme (t)" onClick={toggleTheme}>
      <Icon name={theme === "dark" ? "sun" : "moon"} />
    </Button>
  );
}

export function ZoneButton() {
  const zone = useZone();
  return (
    <Button
      variant="ghost"
      size="sm"
      className="px-1.5 font-normal"
      aria-label={`Times are ${zone === "utc" ? "UTC" : "local"}; change`}
      title="Local time or UTC (u)"
      onClick={toggleZone}
    >
      {zone === "utc" ? "UTC" : "Local"}
    </Button>
  );
}

export function useSignOut(): () => void {
  const client = useQueryClient();
  const router = useRouter();
  return () => {
    void signOut().finally(async () => {
      client.removeQueries();
      await client.refetchQueries(sessionQuery);
      await router.navigate({ to: "/sign-in" });
    });
  };
}

/** The same places at the bottom of a phone. */
export function TabBar() {
  const { project } = useProject();
  const places = usePlaces();
  return (
    <nav
      aria-label="Main"
      className="order-last flex shrink-0 overflow-x-auto border-t border-line bg-sunken pb-[env(safe-area-inset-bottom)] sm:hidden"
    >
      {places.map(({ to, label, icon }) => (
        <Link
          key={to}
          to={to}
          params={{ project }}
          activeOptions={{ exact: to === "/p/$project", includeSearch: false }}
          className="flex h-12 min-w-max flex-1 flex-col items-center px-1.5 justify-center gap-0.5 text-2xs text-ink-3 aria-[current=page]:text-accent"
        >
          <Icon name={icon} />
          {label}
        </Link>
      ))}
    </nav>
  );
}
