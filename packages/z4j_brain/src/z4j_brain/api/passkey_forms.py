"""What the browser's WebAuthn API takes and gives, as JSON (WebAuthn Level 3, section 5.1).

Binary values are base64url without padding; each has its limit. Names are those of the standard.
"""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

import msgspec
from msgspec import Meta

from z4j_brain.api import problems
from z4j_brain.auth.passkey_challenges import VALID_US
from z4j_brain.auth.passkey_check import MOST_ID_BYTES, Assertion, Registration

_FORM = r"^[A-Za-z0-9_-]*(?![\s\S])"
ALGORITHMS = (-8, -7, -257)
"""Ed25519, ECDSA with P-256, RSA with SHA-256: COSE numbers (RFC 9053, RFC 8812)."""
CredentialId = Annotated[str, Meta(min_length=1, max_length=4 * MOST_ID_BYTES // 3, pattern=_FORM)]
ClientData = Annotated[str, Meta(max_length=4_096, pattern=_FORM)]
AttestationText = Annotated[str, Meta(max_length=16_384, pattern=_FORM)]
AuthenticatorText = Annotated[str, Meta(max_length=4_096, pattern=_FORM)]
SignatureText = Annotated[str, Meta(max_length=2_048, pattern=_FORM)]
UserHandle = Annotated[str, Meta(max_length=88, pattern=_FORM)]
MAX_BODY = 32_768


class RelyingPartyView(msgspec.Struct, frozen=True):
    """To whom the passkey belongs."""

    id: str
    name: str


class PasskeyUser(msgspec.Struct, frozen=True, rename="camel"):
    """For whom it is."""

    id: str
    name: str
    display_name: str


class KeyKind(msgspec.Struct, frozen=True):
    """A kind of key that is taken."""

    type: str
    alg: int


class CredentialName(msgspec.Struct, frozen=True):
    """A passkey that is known."""

    type: str
    id: str


class AuthenticatorChoice(msgspec.Struct, frozen=True, rename="camel"):
    """What the authenticator has to be able to do."""

    resident_key: str
    require_resident_key: bool
    user_verification: str


class CreationOptions(msgspec.Struct, frozen=True, rename="camel"):
    """`PublicKeyCredentialCreationOptionsJSON`: for `navigator.credentials.create`."""

    rp: RelyingPartyView
    user: PasskeyUser
    challenge: str
    pub_key_cred_params: list[KeyKind]
    exclude_credentials: list[CredentialName]
    authenticator_selection: AuthenticatorChoice
    timeout: int = VALID_US // 1_000
    attestation: str = "none"


class RequestOptions(msgspec.Struct, frozen=True, rename="camel"):
    """`PublicKeyCredentialRequestOptionsJSON`: for `navigator.credentials.get`."""

    challenge: str
    rp_id: str
    allow_credentials: list[CredentialName]
    timeout: int = VALID_US // 1_000
    user_verification: str = "required"


class RegistrationForm(msgspec.Struct, frozen=True, rename="camel"):
    """What `navigator.credentials.create` gave."""

    id: CredentialId
    client_data_json: ClientData = msgspec.field(name="clientDataJSON")
    attestation_object: AttestationText


class AssertionForm(msgspec.Struct, frozen=True, rename="camel"):
    """What `navigator.credentials.get` gave."""

    id: CredentialId
    client_data_json: ClientData = msgspec.field(name="clientDataJSON")
    authenticator_data: AuthenticatorText
    signature: SignatureText
    user_handle: UserHandle | None = None


def registration_of(form: RegistrationForm) -> Registration:
    """Return what a form holds; raises a 422."""
    return Registration(
        _decoded(form.id), _decoded(form.client_data_json), _decoded(form.attestation_object)
    )


def assertion_of(form: AssertionForm) -> Assertion:
    """Return what a form holds; raises a 422."""
    return Assertion(
        _decoded(form.id),
        _decoded(form.client_data_json),
        _decoded(form.authenticator_data),
        _decoded(form.signature),
        _decoded(form.user_handle or ""),
    )


def encoded(value: bytes) -> str:
    """Return bytes as base64url without padding."""
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def names_of(credential_ids: list[bytes]) -> list[CredentialName]:
    """Return passkeys as the browser is told of them."""
    return [CredentialName("public-key", encoded(one)) for one in credential_ids]


def _decoded(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise problems.invalid_input("/credential", "A value is not base64url.") from None
