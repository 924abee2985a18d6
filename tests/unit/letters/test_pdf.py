"""A letter becomes a PDF that holds its text, also beyond Latin-1."""

import re
import zlib

import pytest

from app.errors import LetterInvalid
from app.letters.pdf import pdf_of
from app.letters.template import EXAMPLE, read_template
from app.settings import Settings


def test_the_shipped_letter_is_one_page() -> None:
    letter = read_template(Settings().letters.template_file).render(EXAMPLE | {"to": ["Zoë Łukasz", "Žižkov 1"]})
    made = pdf_of(letter, "Notice")
    assert made.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type /Page\b", made)) == 1
    assert b"DejaVuSans" in made
    assert 5_000 < len(made) < 100_000


def test_a_long_letter_goes_on_on_another_page() -> None:
    made = pdf_of("<p>line</p>" * 200, "Notice")
    assert len(re.findall(rb"/Type /Page\b", made)) > 1


def test_longer_text_is_more_content() -> None:
    def content(html: str) -> int:
        streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf_of(html, "Notice"), re.S)
        return max(len(zlib.decompress(it)) for it in streams[:1])

    assert content("<p>one two three four five</p>") > content("<p>one</p>")


@pytest.mark.parametrize("html", ["<img src='missing.png'>", "<p>\N{CJK UNIFIED IDEOGRAPH-4E2D}</p>"])
def test_what_the_page_could_not_show_is_refused(html: str) -> None:
    with pytest.raises(LetterInvalid, match="cannot be made a PDF"):
        pdf_of(html, "Notice")
