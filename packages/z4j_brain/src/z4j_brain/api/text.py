"""Types of text that people write, with their limits."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

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
    Meta(min_length=12, max_length=1000, description="A passphrase of at least 12 characters."),
]
Password = Annotated[str, Meta(max_length=1000)]
OneTimeToken = Annotated[str, Meta(max_length=128)]
