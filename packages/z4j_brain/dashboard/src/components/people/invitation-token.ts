const STORED = "z4j-invitation";

/** The token of the link: what follows `#`, or what was kept while its holder signed in. */
export function takeToken(): string {
  const given = window.location.hash.slice(1);
  if (given) {
    sessionStorage.setItem(STORED, given);
    // The address bar and the history do not keep it.
    window.history.replaceState(window.history.state, "", window.location.pathname);
  }
  return sessionStorage.getItem(STORED) ?? "";
}

export function forgetToken(): void {
  sessionStorage.removeItem(STORED);
}
