import { type ReactNode, useEffect } from "react";
import { Button } from "@/components/ui/button";
import { Icon } from "@/components/ui/icon";
import { Kbd } from "@/components/ui/note";
import { cn } from "@/lib/cn";
import { useShell } from "./app-shell";
import { LiveStatus } from "./live-status";
import { SmallProjectPicker } from "./project-picker";

interface PageProps {
  title: string;
  /** Replaces the title's text, for example by a path of links. */
  heading?: ReactNode;
  aside?: ReactNode;
  /** The page scrolls inside itself. */
  fixed?: boolean;
  children: ReactNode;
}

export function Page({ title, heading, aside, fixed, children }: PageProps) {
  const { openPalette } = useShell();
  useEffect(() => {
    document.title = `${title} · z4j`;
  }, [title]);
  return (
    <>
      <header className="flex h-11 shrink-0 items-center gap-2 border-b border-line bg-panel px-3 sm:px-4">
        <SmallProjectPicker />
        <h1 className="min-w-0 flex-1 truncate text-base font-semibold">{heading ?? title}</h1>
        {aside}
        <button
          type="button"
          onClick={openPalette}
          title="Search and commands"
          className="hidden h-7 w-48 items-center gap-2 rounded-md border border-line bg-sunken px-2 text-ink-3 hover:border-line-strong lg:flex"
        >
          <Icon name="search" className="size-3.5" />
          <span className="flex-1 text-left text-xs">Jump to …</span>
          <Kbd>{isApple() ? "⌘K" : "Ctrl K"}</Kbd>
        </button>
        <Button variant="ghost" size="icon" className="lg:hidden" aria-label="Search and commands" onClick={openPalette}>
          <Icon name="search" />
        </Button>
        <LiveStatus />
      </header>
      <main className={cn("min-h-0 flex-1", fixed ? "flex flex-col" : "overflow-y-auto")}>{children}</main>
    </>
  );
}

const isApple = (): boolean => /Mac|iPhone|iPad/.test(navigator.platform);
