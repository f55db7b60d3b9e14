"""The words by which a key is judged. Data only; ``keys`` holds the rules."""

from __future__ import annotations

from typing import Final


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(phrase.strip() for phrase in text.replace("\n", "|").split("|") if phrase.strip())


KEY_PHRASES: Final = _phrases(
    """
    password|passwords|passwd|passcode|passphrase|passphrases|pwd|pass|passwort|kennwort|senha
    contraseña|contrasena|mot de passe|пароль|密码|パスワード
    secret|secrets|token|tokens|credential|credentials|creds|jwt|bearer|otp|totp|pin|pins
    api key|api keys|apikey|apikeys|app key|application key|access key|access key id|private key
    secret key|signing key|encryption key|decryption key|master key|account key|shared key
    shared access key|session key|ssh key|auth key|hmac key|fernet key|crypt key|deploy key
    service role key|license key|sas|sig|amz signature|goog signature
    authorization|authorisation|auth|authentication token|cookie|cookies|csrf|xsrf
    session id|sessionid|sessid|connect sid|secret id
    card number|card no|cardnumber|credit card|creditcard|debit card|cc number|ccnumber
    cvv|cvc|security code|ssn|social security|recovery code|recovery codes|backup codes
    """
)
"""Words that name a secret, lower case, in the order in which they follow each other in a key."""

COUNTED_PHRASES: Final = frozenset(_words("tokens pass pins"))
"""Under these a number is a count, not a secret."""

WHOLE_KEY_PHRASES: Final = frozenset(_words("auth sas sig"))
"""Too short to be trusted inside a longer key (``auth_method``): they must be all of it."""

PASS_OWNERS: Final = frozenset(
    _words("""
    db database user smtp mysql postgres pg ftp sftp admin root redis mail email login my ldap
    proxy rabbitmq amqp broker imap account client http https basic auth key cert ssh
    """)
)
"""``pass`` is a password only alone or after one of these (not in ``boarding_pass``)."""

COMPOUND_ENDINGS: Final = _words("""
    password passwords passwd passphrase passcode secret token apikey secretkey privatekey
    accesskey accountkey signingkey authkey sessionid sessid credentials authorization cookie
    cardnumber pwd securitycode
""")
"""A word written together (``dbpassword``) is sensitive when it ends like this."""

ABOUT_ENDINGS: Final = frozenset(
    _words("""
    count counts counter total sum len length size type types kind name names id ids expiry
    expires expired expiration expire exp ttl at on in date time timeout age lifetime duration
    days hours minutes seconds policy policies strength format field fields label prefix
    suffix limit limits usage used budget valid invalid verified required enabled disabled
    changed updated created reset rotation rotated version status state index idx position
    path file filename dir url uri endpoint endpoints arn ref min max error errors attempt
    attempts retries provider backend class manager scope scopes bucket bytes per second
    minute window cost price rate ratio domain samesite secure consent brand last method
    methods algorithm alg issuer audience remaining saved request requests response left day
    hour month accepted
    """)
)
"""A key that goes on to one of these after the phrase holds a fact about the secret."""

ABOUT_BEGINNINGS: Final = frozenset(
    _words("""
    has is was num n no max min avg mean total count counts needs requires missing estimated
    remaining
    """)
)
"""The same for its first word: ``max_tokens``, ``has_password``."""

HARMLESS_TOKENS: Final = frozenset(
    _words("""
    page next continuation pagination cursor eos bos pad unk cls sep mask stop special input
    output prompt completion cached reasoning cancellation cancel idempotency fencing nft erc
    vocab
    """)
)
"""``token`` after one of these is a cursor, a unit of text or a marker."""
