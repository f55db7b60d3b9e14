"""The filter language by itself: what it means, how it fails, and that text and tree agree."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from z4j_brain.filters import (
    MAX_LENGTH,
    MAX_TERMS,
    Ago,
    At,
    Filter,
    FilterError,
    FirstAt,
    IdStartsWith,
    StateIs,
    Term,
    TextContains,
    TextIs,
    Word,
    format_filter,
    parse_filter,
)
from z4j_core.fold import STATES

NEW_YEAR = 1_767_225_600_000_000


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("state:failed,retrying", StateIs(("failed", "retrying"))),
        ("queue:email", TextIs("queue", ("email",))),
        ("name:app.tasks.send", TextIs("name", ("app.tasks.send",))),
        ("name:~invoice", TextContains("name", ("invoice",))),
        ('name:~"a b",c', TextContains("name", ("a b", "c"))),
        ('name:"~x"', TextIs("name", ("~x",))),
        ("name:a:b", TextIs("name", ("a:b",))),
        ("worker:celery@host-3", TextIs("worker", ("celery@host-3",))),
        ("exception:ValueError,", TextIs("exception", ("ValueError",))),
        ("id:0b1c", IdStartsWith(("0b1c",))),
        ("since:1h", FirstAt("since", Ago(1, "h"))),
        ("until:2026-01-01T00:00", FirstAt("until", At(NEW_YEAR))),
        ("until:2026-01-01", FirstAt("until", At(NEW_YEAR))),
        ("since:2026-01-01T01:00:00.000001+01:00", FirstAt("since", At(NEW_YEAR + 1))),
        ("parent:p", TextIs("parent", ("p",))),
        ("root:r", TextIs("root", ("r",))),
        ("group:g", TextIs("group", ("g",))),
        ("retried_from:x", TextIs("retried_from", ("x",))),
        ("invoice", Word("invoice")),
        ("a,b", Word("a,b")),
        ('"http://x y"', Word("http://x y")),
        ("-", Word("-")),
    ],
)
def test_terms(text: str, condition: object) -> None:
    assert parse_filter(text) == Filter((Term(condition),))  # type: ignore[arg-type]
    assert parse_filter(f" -{text} ").terms == (Term(condition, negated=True),) or text == "-"  # type: ignore[arg-type]


def test_spaces_join_terms() -> None:
    found = parse_filter('state:failed\t-queue:"a  b"   bulk')
    assert [term.condition for term in found.terms] == [
        StateIs(("failed",)),
        TextIs("queue", ("a  b",)),
        Word("bulk"),
    ]
    assert [term.negated for term in found.terms] == [False, True, False]
    assert parse_filter("  ") == Filter()


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("queue:a bogus:1", (8, 15), "There is no key “bogus”. Keys: state, queue"),
        ("state:done", (0, 10), "There is no state “done”. States: queued"),
        ("x name:", (2, 7), "needs a value"),
        ('name:"" y', (0, 7), "needs a value"),
        ("state:~failed", (0, 13), "takes whole values"),
        ("since:soon", (0, 10), "takes one time"),
        ("since:1h,2h", (0, 11), "takes one time"),
        ("since:2026-13-01", (0, 16), "takes one time"),
        ("until:1000000d", (0, 14), "takes one time"),
        ("a " + 'name:"b c', (2, 11), "not closed"),
        ('""', (0, 2), "Empty quotes"),
        ("a\0b", (1, 2), "no text can have"),
        ("\ud800", (0, 1), "no text can have"),
        ("x" * (MAX_LENGTH + 1), (MAX_LENGTH, MAX_LENGTH + 1), "At most 1000 characters"),
        ("a " * (MAX_TERMS + 1), (40, 42), "At most 20 terms"),
    ],
)
def test_errors_point_to_the_word(text: str, place: tuple[int, int], words: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse_filter(text)
    assert (caught.value.start, caught.value.end) == place
    assert words in caught.value.message


def test_the_limits_themselves_are_allowed() -> None:
    assert parse_filter("x" * MAX_LENGTH).terms == (Term(Word("x" * MAX_LENGTH)),)
    assert len(parse_filter("a " * MAX_TERMS).terms) == MAX_TERMS


@given(st.text(max_size=200) | st.text("state:na\"~-,since1h \\%_'", max_size=60))
def test_any_text_is_read_or_refused_with_a_place(text: str) -> None:
    try:
        found = parse_filter(text)
    except FilterError as error:
        assert 0 <= error.start <= error.end <= len(text)
        assert error.message
    else:
        assert parse_filter(format_filter(found)) == found


VALUES = st.text(
    st.characters(exclude_characters='"\0', exclude_categories=["Cs"]), min_size=1, max_size=12
)
MANY = st.lists(VALUES, min_size=1, max_size=3).map(tuple)
MOMENTS = st.builds(Ago, st.integers(0, 999_999), st.sampled_from("smhdw")) | st.builds(
    At, st.integers(0, (1 << 52) - 1)
)
CONTAINS_KEYS = st.sampled_from(["queue", "name", "engine", "worker", "exception"])
EXACT_KEYS = st.sampled_from(["parent", "root", "group", "retried_from"])
CONDITIONS = st.one_of(
    st.builds(StateIs, st.lists(st.sampled_from(STATES), min_size=1, max_size=3).map(tuple)),
    st.builds(TextIs, CONTAINS_KEYS | EXACT_KEYS, MANY),
    st.builds(TextContains, CONTAINS_KEYS, MANY),
    st.builds(IdStartsWith, MANY.filter(lambda values: not values[0].startswith("~"))),
    st.builds(FirstAt, st.sampled_from(["since", "until"]), MOMENTS),
    st.builds(Word, VALUES),
)
FILTERS = st.lists(st.builds(Term, CONDITIONS, st.booleans()), max_size=4).map(
    lambda terms: Filter(tuple(terms))
)


@given(FILTERS)
def test_what_is_written_reads_as_the_same(found: Filter) -> None:
    assert parse_filter(format_filter(found)) == found
