"""Types of text that people write, with their limits."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from z4j_brain.auth.password_rules import LEAST_CHARACTERS, MOST_BYTES

_NO_CONTROLS = r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*(?![\s\S])"

Name = Annotated[
    str,
    Meta(min_length=1, max_length=100, pattern=_NO_CONTROLS, description="One line of text."),
]
Email = Annotated[
    str,
    Meta(
        max_length=254,
        pattern=r"^[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+(?![\s\S])",
        extra_json_schema={"format": "email"},
    ),
]
NewPassword = Annotated[
    str,
    Meta(
        max_length=MOST_BYTES,
        description=f"At least {LEAST_CHARACTERS} characters, at most {MOST_BYTES:,} bytes; not"
        " easily guessed, without the name or e-mail address.",
        extra_json_schema={"minLength": LEAST_CHARACTERS},
    ),
]
"""The length is judged with the other rules, in words, by `auth/password_rules.py`."""
Password = Annotated[str, Meta(max_length=MOST_BYTES)]
OneTimeCode = Annotated[
    str,
    Meta(
        max_length=64,
        pattern=r"^[0-9A-Za-z\s-]*(?![\s\S])",
        description="Six digits of an authenticator app, or a recovery code. Spaces and dashes do"
        " not count.",
    ),
]
OneTimeToken = Annotated[str, Meta(max_length=128)]
