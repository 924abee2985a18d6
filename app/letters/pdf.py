"""A letter's HTML as a PDF: headings, paragraphs, lists and tables on A4, in a font with the letters of Europe."""

import re
import warnings
from pathlib import Path

from fpdf import FPDF, TextStyle
from fpdf.errors import FPDFException
from fpdf.fonts import TTFFont

from app.errors import LetterInvalid

FONTS = Path(__file__).with_name("fonts")
FONT = "DejaVu"
MARGIN = 22
"""In millimetres."""
SIZE = 10.5
"""Of the text, in points."""


def pdf_of(html: str, title: str) -> bytes:
    """Raises LetterInvalid for HTML that cannot be laid out, and for letters that the font has not."""
    # An image's address could be any file of this machine.
    if re.search(r"<img\b", html, re.IGNORECASE):
        raise LetterInvalid("this letter cannot be made a PDF: it has an image; docs/letters.md says what it can have")
    document = FPDF(format="A4")
    document.set_margin(MARGIN)
    document.set_title(title)
    document.set_lang("en")
    for style, file in (("", "DejaVuSans.ttf"), ("B", "DejaVuSans-Bold.ttf")):
        document.add_font(FONT, style, FONTS / file)
    fonts = [font for font in document.fonts.values() if isinstance(font, TTFFont)]
    try:
        if missing := sorted({each for each in html if each.isprintable() and ord(each) not in fonts[0].cmap}):
            raise LetterInvalid(f"this letter cannot be made a PDF: the font has no {' '.join(missing)}")
        return _laid_out(document, html)
    finally:
        # They read their files as they are needed, and close them for nobody.
        for font in fonts:
            font.ttfont.close()


def _laid_out(document: FPDF, html: str) -> bytes:
    document.add_page()
    document.set_font(FONT, size=SIZE)
    styles = {
        "h1": TextStyle(FONT, "B", 14, color="#000000", t_margin=4, b_margin=2),
        "h2": TextStyle(FONT, "B", 11, color="#000000", t_margin=4, b_margin=1),
        "p": TextStyle(FONT, "", SIZE, b_margin=3),
    }
    try:
        with warnings.catch_warnings():
            # Each is something that the page would not show.
            warnings.simplefilter("error", UserWarning)
            document.write_html(html, tag_styles=styles, font_family=FONT, li_prefix_color="#000000")
            return bytes(document.output())
    except (FPDFException, NotImplementedError, UserWarning, ValueError) as error:
        raise LetterInvalid(
            f"this letter cannot be made a PDF: {error}; docs/letters.md says what it can have"
        ) from error
