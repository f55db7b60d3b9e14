// The browser's WebAuthn API, with binary values as the base64url text that the brain sends and
// takes. Every refusal becomes an `Error` that says what to do.

export interface CreationOptions {
  rp: { id: string; name: string };
  user: { id: string; name: string; displayName: string };
  challenge: string;
  pubKeyCredParams: { type: string; alg: number }[];
  excludeCredentials: { type: string; id: string }[];
  authenticatorSelection: { residentKey: string; requireResidentKey: boolean; userVerification: string };
  timeout: number;
  attestation: string;
}

export interface RequestOptions {
  challenge: string;
  rpId: string;
  allowCredentials: { type: string; id: string }[];
  timeout: number;
  userVerification: string;
}

export interface Registration {
  id: string;
  clientDataJSON: string;
  attestationObject: string;
}

export interface Assertion {
  id: string;
  clientDataJSON: string;
  authenticatorData: string;
  signature: string;
  userHandle: string | null;
}

/** Whether this browser knows them, and the address has a name that one can belong to. */
export function canUsePasskeys(): boolean {
  if (typeof window === "undefined" || !window.isSecureContext || !("PublicKeyCredential" in window)) return false;
  return !isIpAddress(window.location.hostname);
}

export function isIpAddress(host: string): boolean {
  return /^[\d.]+$|^\[/.test(host);
}

export async function makePasskey(options: CreationOptions): Promise<Registration> {
  const made = await asked(() =>
    navigator.credentials.create({
      publicKey: {
        ...options,
        challenge: toBytes(options.challenge),
        user: { ...options.user, id: toBytes(options.user.id) },
        excludeCredentials: named(options.excludeCredentials),
      } as PublicKeyCredentialCreationOptions,
    }),
  );
  const response = made.response as AuthenticatorAttestationResponse;
  return {
    id: toText(made.rawId),
    clientDataJSON: toText(response.clientDataJSON),
    attestationObject: toText(response.attestationObject),
  };
}

export async function signWithPasskey(options: RequestOptions): Promise<Assertion> {
  const signed = await asked(() =>
    navigator.credentials.get({
      publicKey: {
        ...options,
        challenge: toBytes(options.challenge),
        allowCredentials: named(options.allowCredentials),
      } as PublicKeyCredentialRequestOptions,
    }),
  );
  const response = signed.response as AuthenticatorAssertionResponse;
  return {
    id: toText(signed.rawId),
    clientDataJSON: toText(response.clientDataJSON),
    authenticatorData: toText(response.authenticatorData),
    signature: toText(response.signature),
    userHandle: response.userHandle ? toText(response.userHandle) : null,
  };
}

async function asked(ask: () => Promise<Credential | null>): Promise<PublicKeyCredential> {
  let found: Credential | null;
  try {
    found = await ask();
  } catch (error) {
    throw new Error(why(error));
  }
  if (!found) throw new Error(why(null));
  return found as PublicKeyCredential;
}

export function why(error: unknown): string {
  const name = error instanceof Error || error instanceof DOMException ? error.name : "";
  if (name === "InvalidStateError") return "This device has a passkey of your account already.";
  if (name === "NotSupportedError") return "This device can keep no passkey. Use another one.";
  if (name === "SecurityError") return "The browser allows no passkey at this address. Open z4j by its host name and HTTPS.";
  return "No passkey was used: it was cancelled, took too long, or this device has none.";
}

function named(ids: readonly { type: string; id: string }[]): PublicKeyCredentialDescriptor[] {
  return ids.map(({ id }) => ({ type: "public-key", id: toBytes(id) }));
}

export function toBytes(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

export function toText(bytes: ArrayBuffer): string {
  const binary = Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
