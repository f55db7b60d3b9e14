"""Payment card numbers: issuer range, length and check digit (ISO/IEC 7812)."""

from __future__ import annotations

from typing import Final

ISSUERS: Final[dict[int, tuple[tuple[int, int], ...]]] = {
    14: ((3000, 3059), (3600, 3699), (3800, 3999)),
    15: ((3400, 3499), (3700, 3799)),
    16: (
        (2221, 2720),
        (3528, 3589),
        (4000, 4999),
        (5100, 5599),
        (6011, 6011),
        (6200, 6299),
        (6440, 6599),
    ),
    19: ((4000, 4999), (6200, 6299)),
}
"""Number of digits to the ranges of the first four: Diners, Amex, Mastercard, JCB, Visa, …"""

_SMALLEST_INTEGER = 30_000_000_000_000
_LARGEST_INTEGER = 6_599_999_999_999_999


def is_card_number(text: str) -> bool:
    """Tell whether the digits of ``text`` are a card number of a known issuer.

    The issuer matters: of random numbers, such as identifiers and timestamps, one in ten has a
    right check digit.
    """
    digits = text.replace(" ", "").replace("-", "")
    ranges = ISSUERS.get(len(digits), ())
    if not ranges:
        return False
    head = int(digits[:4])
    return any(low <= head <= high for low, high in ranges) and _has_check_digit(digits)


def is_card_integer(number: int) -> bool:
    """The same for an integer; 19 digits are left alone, they are far more often an identifier."""
    return _SMALLEST_INTEGER <= number <= _LARGEST_INTEGER and is_card_number(str(number))


def _has_check_digit(digits: str) -> bool:
    total = 0
    for place, char in enumerate(reversed(digits)):
        digit = ord(char) - 48
        if place % 2:
            digit = digit * 2 - 9 if digit > 4 else digit * 2
        total += digit
    return total % 10 == 0
