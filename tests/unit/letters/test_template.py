"""A template is tried before it is used, escapes what is put in, and reaches nothing."""

from pathlib import Path

import pytest

from app.errors import LetterInvalid
from app.letters.template import EXAMPLE, read_template
from app.settings import Settings

SHIPPED = Settings().letters.template_file


def written(folder: Path, source: str) -> Path:
    path = folder / "letter.html"
    path.write_text(source)
    return path


def test_the_shipped_letter_says_the_reasons_the_rights_and_how_to_ask() -> None:
    letter = read_template(SHIPPED).render(EXAMPLE)
    for part in ("One reason", "Another reason", "reasons for our decision", EXAMPLE["decision_id"], "A-1"):
        assert part in letter
    assert "Equal Credit Opportunity Act" in letter
    assert "{" not in letter
    alone = read_template(SHIPPED).render(EXAMPLE | {"reasons": ["One reason"], "application_id": None})
    assert "reason for our decision" in alone.replace("\n", " ")


def test_what_is_put_in_is_escaped(tmp_path: Path) -> None:
    template = read_template(written(tmp_path, "{{ application_id }} {{ reasons[0] }}"))
    told = template.render(EXAMPLE | {"application_id": "<b>A</b>", "reasons": ["R & D"]})
    assert told == "&lt;b&gt;A&lt;/b&gt; R &amp; D\n"


def test_a_version_is_the_contents(tmp_path: Path) -> None:
    one, again = (read_template(written(tmp_path, "{{ today }}")).version for _ in range(2))
    assert one == again != read_template(written(tmp_path, "{{ today }}.")).version


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("\n{{ reasons", "letter.html, line 2: unexpected end"),
        ("{{ income }}", "'income' is undefined"),
        ("{{ reasons[9] }}", "has no element 9"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ ''.__class__.__mro__ }}", "access to attribute '__class__' of 'str' object is unsafe"),
        ("{% include '/etc/passwd' %}", "no loader for this environment"),
        ("{{ reasons.append('x') }}", "access to attribute 'append' of 'list' object is unsafe"),
        ("{% for it in range(99999999) %}{% endfor %}", "Range too big"),
    ],
)
def test_a_template_that_cannot_be_used_is_refused_with_what_is_wrong(tmp_path: Path, source: str, what: str) -> None:
    with pytest.raises(LetterInvalid, match=what):
        read_template(written(tmp_path, source))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LetterInvalid, match="none.html cannot be read"):
        read_template(tmp_path / "none.html")
