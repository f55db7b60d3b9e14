import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createRouter } from "@tanstack/react-router";
import { Fault, Loading } from "./components/ui/note";
import { appRoot, prefixRewrite } from "./lib/app-root";
import { parseSearch, stringifySearch } from "./lib/url-state";
import { routeTree } from "./routeTree.gen";
import { mayPass, whenSignedOut } from "./services/http";
import { sessionQuery } from "./services/session";

export function getRouter() {
  const queryClient = new QueryClient({
    defaultOptions: {
      queries: {
        // The live feed tells what changed; a look away and back changes nothing.
        refetchOnWindowFocus: false,
        retry: (failures, error) => failures < 2 && mayPass(error),
      },
    },
  });
  const router = createRouter({
    routeTree,
    // Start sets the router's basepath at build time; the prefix is only known in the browser.
    rewrite: prefixRewrite(appRoot()),
    context: { queryClient },
    parseSearch,
    stringifySearch,
    defaultPreload: "intent",
    defaultPendingMs: 300,
    defaultPendingComponent: () => <Loading />,
    defaultErrorComponent: ({ error, reset }) => <Fault error={error} retry={reset} />,
    scrollRestoration: true,
    Wrap: ({ children }) => (
      <QueryClientProvider client={queryClient}>{children}</QueryClientProvider>
    ),
  });
  whenSignedOut(() => {
    const session = queryClient.getQueryData(sessionQuery.queryKey);
    if (!session?.user) return;
    queryClient.setQueryData(sessionQuery.queryKey, { ...session, user: null });
    void router.invalidate();
  });
  return router;
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof getRouter>;
  }
}
