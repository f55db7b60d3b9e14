"""Checks what a browser says that an authenticator has signed (WebAuthn Level 3, section 7).

`webauthn` does the parsing and the cryptography. It is an extra, because `cryptography` comes with
it; nothing here imports it before it is needed.
"""

from __future__ import annotations

import importlib.util
import json
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from z4j_brain.auth.relying_party import RelyingParty

ADVICE = 'Passkeys need a further package on the server: pip install "z4j[passkeys]".'
MOST_ID_BYTES = 1_023
"""Of a credential id: WebAuthn Level 3, section 7.1, step 26."""
MOST_KEY_BYTES = 2_048


class NotInstalledError(Exception):
    """The server has no library for passkeys."""


class PasskeyRefusedError(Exception):
    """The answer of the authenticator will not do; the message says why, to people."""


class Registration(msgspec.Struct, frozen=True):
    """What `navigator.credentials.create()` gave."""

    credential_id: bytes
    client_data: bytes
    attestation: bytes


class Assertion(msgspec.Struct, frozen=True):
    """What `navigator.credentials.get()` gave."""

    credential_id: bytes
    client_data: bytes
    authenticator_data: bytes
    signature: bytes
    user_handle: bytes


class Registered(msgspec.Struct, frozen=True):
    """A key pair's public half, in COSE form, and the authenticator's counter."""

    credential_id: bytes
    public_key: bytes
    sign_count: int


def is_installed() -> bool:
    """Tell whether the server can check passkeys."""
    return importlib.util.find_spec("webauthn") is not None


def require_installed() -> None:
    """Raise `NotInstalledError` unless the server can check passkeys."""
    if not is_installed():
        raise NotInstalledError


def challenge_of(client_data: bytes) -> bytes:
    """Return the challenge that was signed; raises `PasskeyRefusedError`."""
    from webauthn.helpers import base64url_to_bytes

    try:
        told = json.loads(client_data)
        if told.get("crossOrigin"):
            raise PasskeyRefusedError("The passkey was used in a frame of another page.")
        return base64url_to_bytes(told["challenge"])
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        raise _unreadable() from None


def registered(party: RelyingParty, given: Registration, challenge: bytes) -> Registered:
    """Check a new passkey; raises `PasskeyRefusedError`. User verification is required.

    Attestation is not asked for: which make the authenticator is does not matter here.
    """
    from webauthn import verify_registration_response
    from webauthn.helpers.structs import AuthenticatorAttestationResponse as Response
    from webauthn.helpers.structs import RegistrationCredential

    credential = RegistrationCredential(
        id=_encoded(given.credential_id),
        raw_id=given.credential_id,
        response=Response(client_data_json=given.client_data, attestation_object=given.attestation),
    )
    try:
        found = verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
        )
    except Exception as error:  # noqa: BLE001 - anybody's bytes in another's parser
        raise _explained(error) from None
    made = Registered(found.credential_id, found.credential_public_key, found.sign_count)
    if made.credential_id != given.credential_id:
        raise _unreadable()
    if len(made.credential_id) > MOST_ID_BYTES or len(made.public_key) > MOST_KEY_BYTES:
        raise PasskeyRefusedError("The key of this passkey is too long. Use another one.")
    return made


def asserted(party: RelyingParty, given: Assertion, challenge: bytes, public_key: bytes) -> int:
    """Check a signature and return the counter; raises `PasskeyRefusedError`.

    User verification is required. The counter is left to the caller, who knows the last one.
    """
    from webauthn import verify_authentication_response
    from webauthn.helpers.structs import AuthenticationCredential
    from webauthn.helpers.structs import AuthenticatorAssertionResponse as Response

    credential = AuthenticationCredential(
        id=_encoded(given.credential_id),
        raw_id=given.credential_id,
        response=Response(
            client_data_json=given.client_data,
            authenticator_data=given.authenticator_data,
            signature=given.signature,
        ),
    )
    try:
        found = verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except Exception as error:  # noqa: BLE001 - anybody's bytes in another's parser
        raise _explained(error) from None
    return found.new_sign_count


def _encoded(value: bytes) -> str:
    from webauthn.helpers import bytes_to_base64url

    return bytes_to_base64url(value)


def _explained(error: Exception) -> PasskeyRefusedError:
    """Say what people can do something about; everything else is a fault of the sender's."""
    text = str(error)
    if "origin" in text or "RP ID" in text:
        return PasskeyRefusedError("The passkey was used at another address than this one.")
    if "verif" in text and "User" in text:
        return PasskeyRefusedError(
            "The device did not check that it is you. Give it a PIN, a fingerprint or your face."
        )
    return _unreadable()


def _unreadable() -> PasskeyRefusedError:
    return PasskeyRefusedError("The answer of the passkey is not valid. Try again.")
