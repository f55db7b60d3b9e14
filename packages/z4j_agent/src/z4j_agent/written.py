"""What libraries keep in forms of their own, written as people know it."""

from __future__ import annotations


def cron_field(values: tuple[int, ...], every: range) -> str:
    """Return a field of a line of cron with these values, sorted, of all that there can be."""
    whole = tuple(every)
    if values == whole:
        return "*"
    for step in range(2, len(whole) // 2 + 1):
        if len(values) > 1 and values == whole[::step]:
            return f"*/{step}"
    parts: list[list[int]] = []
    for value in values:
        if parts and parts[-1][-1] == value - 1:
            parts[-1].append(value)
        else:
            parts.append([value])
    return ",".join(
        f"{part[0]}-{part[-1]}" if len(part) > 2 else ",".join(map(str, part)) for part in parts
    )
