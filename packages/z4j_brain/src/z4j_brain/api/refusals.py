"""What the rules of sign-in refuse, as problems."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from z4j_brain.api import problems
from z4j_brain.api.problems import Problem
from z4j_brain.auth.account import WrongPasswordError
from z4j_brain.auth.password_rules import PasswordRefusedError
from z4j_brain.auth.passwords import BusyError
from z4j_brain.auth.sign_in import PasswordsOffError
from z4j_brain.auth.waits import WaitError


@contextmanager
def refusals(*, given: str = "/password", chosen: str = "/password") -> Iterator[None]:
    """Turn what services raise into problems; `given` and `chosen` point to the password fields."""
    try:
        yield
    except WrongPasswordError:
        raise problems.invalid_input(given, "This is not your password.") from None
    except PasswordRefusedError as refused:
        raise problems.invalid_input(chosen, str(refused)) from None
    except PasswordsOffError:
        raise Problem(
            403,
            "password-sign-in-off",
            "Here one signs in by the identity provider. `z4j sign-in-link` is the way in when that"
            " fails.",
        ) from None
    except WaitError as wait:
        raise problems.too_many_requests(wait.seconds) from None
    except BusyError:
        raise problems.too_many_requests(1) from None
