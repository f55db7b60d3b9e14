"""Asking for a new password."""

from __future__ import annotations

import sys

import click


def read_new_password(email: str, name: str) -> str:
    """Ask for a password, or read a line without a terminal; ends the command when refused."""
    from z4j_brain.auth.password_rules import PasswordRefusedError, check_new

    password = _read()
    try:
        check_new(password, email=email, name=name)
    except PasswordRefusedError as refused:
        raise click.ClickException(str(refused)) from None
    return password


def _read() -> str:
    if sys.stdin.isatty():
        password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
        return password
    return sys.stdin.readline().rstrip("\r\n")
