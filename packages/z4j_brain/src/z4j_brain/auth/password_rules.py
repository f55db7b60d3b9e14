"""What a new password must be, after NIST SP 800-63B-4 (August 2025), section 3.1.1.2.

At least 15 characters, which is its least where a password may be all that is asked for; any
character; no rule on its composition; no end of its life; never cut; refused when it is frequent or
holds the name of its owner.
"""

from __future__ import annotations

import unicodedata

from z4j_brain.auth.frequent import folded, is_frequent

LEAST_CHARACTERS = 15
MOST_BYTES = 1_024
_LEAST_NAME = 4


class PasswordRefusedError(ValueError):
    """The password will not do; the message says why, in words for its owner."""


def check_new(password: str, *, email: str, name: str) -> None:
    """Raise `PasswordRefusedError` unless this may become the password of that person."""
    text = prepared(password)
    if len(text) < LEAST_CHARACTERS:
        raise PasswordRefusedError(
            f"Use at least {LEAST_CHARACTERS} characters. A few unrelated words do well."
        )
    if not is_of_sensible_size(text):
        raise PasswordRefusedError(f"Use at most {MOST_BYTES:,} bytes of text.")
    local = email.strip().partition("@")[0]
    for own in (local, name.strip()):
        if len(own) >= _LEAST_NAME and folded(own) in folded(text):
            raise PasswordRefusedError("Do not use your name or e-mail address in the password.")
    if is_frequent(text, (email, name)):
        raise PasswordRefusedError(
            "This is easily guessed: it is made of frequent words, your name, years, rows of the"
            " keyboard or repetitions. Take a few unrelated words, or let a password manager"
            " choose."
        )


def prepared(password: str) -> str:
    """Return the form that is hashed: NFC, so that no keyboard's spelling of a letter matters."""
    return unicodedata.normalize("NFC", password)


def is_of_sensible_size(password: str) -> bool:
    """Tell whether a password is text of at most `MOST_BYTES`; no other can be anybody's."""
    try:
        return len(password.encode()) <= MOST_BYTES
    except UnicodeEncodeError:
        return False
