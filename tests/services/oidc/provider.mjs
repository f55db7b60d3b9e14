// The certified oidc-provider with two clients and whatever people a file tells of.
// node provider.mjs INSTALLED ISSUER REDIRECT_URIS PEOPLE
// PEOPLE is a JSON file, read anew at every sign-in: {"eve": {"email": …, "groups": […]}}.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [installed, issuer, redirectUris, peopleFile] = process.argv.slice(2);
const found = createRequire(`${installed}/`).resolve("oidc-provider");
const { Provider } = await import(pathToFileURL(found));
const people = async () => JSON.parse(await readFile(peopleFile, "utf8"));

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "z4j",
      client_secret: "a secret with % and + and :",
      redirect_uris: redirectUris.split(","),
      grant_types: ["authorization_code"],
      response_types: ["code"],
    },
  ],
  claims: {
    openid: ["sub"],
    profile: ["name"],
    email: ["email", "email_verified"],
    groups: ["groups"],
  },
  scopes: ["openid", "profile", "email", "groups"],
  pkce: { required: () => true },
  cookies: { keys: ["only for tests"] },
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
  findAccount: async (_ctx, id) => {
    const told = (await people())[id];
    return told && { accountId: id, claims: async () => ({ sub: id, ...told }) };
  },
  // Nobody is asked for consent.
  loadExistingGrant: async (ctx) => {
    const { client, session } = ctx.oidc;
    const grant = new ctx.oidc.provider.Grant({ clientId: client.clientId, accountId: session.accountId });
    grant.addOIDCScope("openid profile email groups");
    await grant.save();
    return grant;
  },
});

const form = `<!doctype html><html lang="en"><title>Provider</title><h1>Provider</h1>
<form method="post"><label>Login <input name="login" autofocus></label><button>Continue</button>
<button name="cancel" value="yes">Turn back</button></form></html>`;

async function fieldsOf(request) {
  let body = "";
  for await (const chunk of request) body += chunk;
  return new URLSearchParams(body);
}

provider.use(async (ctx, next) => {
  if (!ctx.path.startsWith("/interaction/")) return next();
  if (ctx.method === "GET") {
    ctx.type = "html";
    ctx.body = form;
    return undefined;
  }
  const fields = await fieldsOf(ctx.req);
  const outcome = fields.get("cancel")
    ? { error: "access_denied", error_description: "turned back" }
    : { login: { accountId: fields.get("login"), remember: false } };
  ctx.respond = false;
  return provider.interactionFinished(ctx.req, ctx.res, outcome);
});

provider.listen(Number(new URL(issuer).port), "127.0.0.1");
