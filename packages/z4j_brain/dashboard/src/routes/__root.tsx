import { createRootRoute, HeadContent, Outlet, Scripts } from "@tanstack/react-router";
import type { ReactNode } from "react";
import "../styles/app.css";
export const Route = createRootRoute({
  head: () => ({ meta: [{ charSet: "utf-8" }, { title: "z4j" }]}),
  shellComponent: Shell,
  component: () => <Outlet />,
});
function Shell({ children }: { children: ReactNode }) {
  return (
    <html lang="en" suppressHydrationWarning>
      <head>
        <HeadContent />
      </head>
      <body>
        {children}
        <Scripts />
      </body>
    </html>
  );
}
