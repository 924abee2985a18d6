"""`credit audit letter` and `letters`: files for people, and what they say kept in the record."""

import json
from pathlib import Path

import pytest

from app.audit.commands.verify import verify
from app.audit.signing import Trust, trust_of
from app.audit.store.repository import Store
from app.scoring.decider import Decider
from app.settings import load_settings
from tests.support.commands import credit
from tests.support.fakes import constant_model
from tests.support.records import NOON, SECOND, SIGNER, decided, linked, policy_entry, policy_of_tests

SETTLED = (
    "<p>{{ to | join(', ') }}</p><ol>{% for it in reasons %}<li>{{ it }}</li>{% endfor %}</ol><p>{{ decision_id }}</p>"
)


@pytest.fixture
def keys(store: Store, database_uri: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Of two refused decisions and an accepted one, by a lender whose lawyers are done."""
    monkeypatch.setenv("DATABASE_URI", database_uri)
    (tmp_path / "letter.html").write_text(SETTLED)
    monkeypatch.setenv("LETTERS__TEMPLATE_FILE", str(tmp_path / "letter.html"))
    refusing, accepting = (Decider(constant_model(it), policy_of_tests()) for it in (0.5, 0.01))
    entries = [
        decided(refusing, at=NOON),
        decided(refusing, at=NOON + SECOND),
        decided(accepting, at=NOON + 2 * SECOND),
    ]
    store.insert(linked([policy_entry(), *entries]), SIGNER)
    return [it.key for it in entries]


def kept(store: Store) -> list[dict[str, str]]:
    return [it.to_link().fields for it in store.entries(("letter",), None, None)]


def test_a_letter_is_written_and_kept_without_its_address(
    store: Store, keys: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "letter-1.html"
    assert credit("audit", "letter", keys[0], "--output", str(file), "--to", "J. Doe", "--by", "office") == 0
    assert f"1 letter in {file}, kept in the record" in capsys.readouterr().out
    assert "J. Doe" in file.read_text()
    (one,) = kept(store)
    assert (one["key"], one["by"]) == (keys[0], "office")
    assert keys[0] in one["html"]
    assert "J. Doe" not in json.dumps(one)
    own = trust_of(load_settings().audit)
    assert verify(store, None, None, [], lambda _: None, 0, Trust(own.keys | {SIGNER.public})).passed


def test_all_refusals_of_a_time_get_one_letter_each(
    store: Store, keys: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "letters"
    assert credit("audit", "letters", "--output", str(folder)) == 0
    assert {path.name for path in folder.iterdir()} == {f"{key}.pdf" for key in keys[:2]}
    assert {it["key"] for it in kept(store)} == set(keys[:2])
    capsys.readouterr()
    assert credit("audit", "letters", "--output", str(folder), "--json") == 0
    assert json.loads(capsys.readouterr().out)["letters"] == 0
    assert len(kept(store)) == 2


def test_a_template_that_lawyers_have_not_settled_gives_drafts(
    store: Store, keys: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("LETTERS__TEMPLATE_FILE")
    assert credit("audit", "letter", keys[0], "--output", str(tmp_path / "draft.pdf")) == 0
    told = capsys.readouterr().out
    assert "as drafts that the record does not keep: the template still has" in told
    assert "[Creditor's name]" in told
    assert kept(store) == []


@pytest.mark.parametrize(
    ("which", "output", "what"),
    [
        (2, "letter.pdf", "is an ACCEPT: there is nothing to give notice of"),
        (0, "letter.docx", "must end with .html or .pdf"),
        (0, "none/letter.html", "cannot be written: No such file"),
    ],
)
def test_what_cannot_be_written_is_refused_and_not_kept(
    store: Store,
    keys: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    which: int,
    output: str,
    what: str,
) -> None:
    assert credit("audit", "letter", keys[which], "--output", str(tmp_path / output)) == 2
    assert what in capsys.readouterr().err
    assert kept(store) == []


def test_a_folder_that_cannot_be_made_is_named(
    store: Store, keys: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").touch()
    assert credit("audit", "letters", "--output", str(tmp_path / "taken")) == 2
    assert "taken cannot be made: File exists" in capsys.readouterr().err
    assert kept(store) == []
