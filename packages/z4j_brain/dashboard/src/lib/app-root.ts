// The brain may serve the dashboard below a prefix; it says so in one meta element.
// Everything that makes an address goes through here.

/** The prefix without a slash at its end: "" at the top of the host, "/tools/z4j" below it. */
export function appRoot(): string {
  if (typeof document === "undefined") return "";
  const meta = document.querySelector<HTMLMetaElement>('meta[name="z4j-root"]');
  return (meta?.content ?? "").replace(/\/+$/, "");
}

export function apiUrl(path: string): string {
  return `${appRoot()}/api/v1${path}`;
}

export function socketUrl(path: string): string {
  const { protocol, host } = window.location;
  return `${protocol === "https:" ? "wss:" : "ws:"}//${host}${appRoot()}${path}`;
}

/** The address that an agent is given, for example `https://z4j.example.org`. */
export function publicUrl(): string {
  return `${window.location.origin}${appRoot()}`;
}

/** Takes the prefix off the addresses that the router reads, and puts it before those it writes. */
export function prefixRewrite(root: string) {
  if (!root) return undefined;
  return {
    input: ({ url }: { url: URL }) => {
      if (url.pathname === root) url.pathname = "/";
      else if (url.pathname.startsWith(`${root}/`)) url.pathname = url.pathname.slice(root.length);
      return url;
    },
    output: ({ url }: { url: URL }) => {
      url.pathname = root + url.pathname;
      return url;
    },
  };
}
