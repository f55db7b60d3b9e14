export interface Outcome {
  title: string;
  lead: string;
}

const FAILED = "You are not signed in";
const NOT_LINKED = "Your account was not linked";

/** What the way back from the identity provider ends with, in plain words. */
const OUTCOMES: Record<string, Outcome> = {
  late: {
    title: FAILED,
    lead: "This took too long, or was begun in another tab or browser. Try again.",
  },
  wait: { title: FAILED, lead: "Too many attempts came from your network. Wait a minute and try again." },
  refused: { title: FAILED, lead: "The identity provider did not let you through, or you turned back." },
  provider: {
    title: FAILED,
    lead: "The identity provider did not answer as it should. Try again; the server's log tells an administrator more.",
  },
  setup: { title: FAILED, lead: "This server has not been set up yet. Open the link that it printed when it started." },
  "no-email": {
    title: FAILED,
    lead: "The identity provider tells no e-mail address of yours that it has verified. Ask who runs it.",
  },
  "not-invited": {
    title: FAILED,
    lead: "None of your groups may use this server, and no invitation awaits you. Ask an administrator.",
  },
  taken: {
    title: FAILED,
    lead: "Your e-mail address has an account here that is not linked yet. Sign in to it as before and link it on its Account page. An administrator can give you a link that signs you in.",
  },
  disabled: { title: FAILED, lead: "Your account is disabled. Ask an administrator." },
  linked: { title: "Your account is linked", lead: "The identity provider signs you in from now on." },
  "signed-out": { title: NOT_LINKED, lead: "You are not signed in any more, or as somebody else. Sign in and try again." },
  elsewhere: { title: NOT_LINKED, lead: "Whom the identity provider knows as you has another account here." },
  "has-one": { title: NOT_LINKED, lead: "It is linked to somebody else at the identity provider. Undo that first." },
  "other-email": {
    title: NOT_LINKED,
    lead: "The identity provider must have verified the same e-mail address that your account has.",
  },
};

export function outcomeOf(name: string): Outcome {
  return OUTCOMES[name] ?? { title: FAILED, lead: "Try again." };
}
