"""What people do in the console, in a real browser, by the names that they see."""

import re
from pathlib import Path
from typing import Any

import pytest

from harness.waiting import PATIENCE_SECONDS, wait_until
from tests.journeys.conftest import OFFICER, Lender, Visitor

pytestmark = pytest.mark.journeys


def first_decision(visitor: Visitor, verdict: str) -> str:
    """The newest of that verdict, opened; gives its application."""
    page = visitor.page
    visitor.go("/")
    page.get_by_label("Verdict").select_option(verdict)
    page.get_by_role("button", name="Find").click()
    row = page.get_by_role("row").nth(1)
    application = str(row.get_by_role("cell").nth(3).inner_text())
    row.get_by_role("link").click()
    return application


def heading(visitor: Visitor) -> str:
    return str(visitor.page.get_by_role("heading", level=1).first.inner_text())


def test_a_refusal_is_found_by_its_application_understood_and_written_about(visitor: Visitor, tmp_path: Path) -> None:
    page = visitor.page
    application = first_decision(visitor, "REJECT")
    visitor.go("/")
    visitor.look("decisions")
    page.get_by_label("Application").fill(application)
    page.get_by_role("button", name="Find").click()
    assert page.get_by_role("row").count() == 2
    page.get_by_role("row").nth(1).get_by_role("link").click()
    assert "REJECT" in heading(visitor)
    reasons = page.get_by_role("listitem").all_inner_texts()
    assert 1 <= len(reasons) <= 4
    page.get_by_role("button", name="Verify and replay it now").click()
    assert "comes out again to the last bit" in page.get_by_role("status").inner_text()
    visitor.look("decision")
    page.get_by_role("link", name="Letter").click()
    letter = page.get_by_role("article").inner_text()
    for reason in reasons:
        assert re.sub(r"\s+[A-Z0-9_]+$", "", reason) in letter
    visitor.look("letter")
    with page.expect_download() as download:
        page.get_by_role("button", name="PDF, and keep it as sent").click()
    sent = tmp_path / "letter.pdf"
    download.value.save_as(sent)
    assert sent.read_bytes().startswith(b"%PDF-")


def test_another_value_is_tried_and_nothing_of_it_is_kept(visitor: Visitor) -> None:
    page = visitor.page
    first_decision(visitor, "REJECT")
    page.get_by_role("link", name="What if").click()
    before = page.get_by_role("status").inner_text()
    visitor.look("what-if")
    page.get_by_label("MonthlyIncome").fill("not a number")
    page.get_by_role("button", name="Try").click()
    assert page.get_by_role("alert").inner_text() == "MonthlyIncome must be a number"
    page.get_by_label("MonthlyIncome").fill("250000")
    page.get_by_label("RevolvingUtilizationOfUnsecuredLines").fill("0.01")
    page.get_by_role("button", name="Try").click()
    assert page.get_by_role("status").inner_text() != before


def test_what_waits_for_a_person_is_decided_by_keyboard(visitor: Visitor) -> None:
    page = visitor.page
    page.get_by_role("link", name="Reviews").click()
    visitor.look("reviews")
    told = page.get_by_role("main").get_by_role("paragraph").first.inner_text()
    waiting = int(re.sub(r"\D", "", told.split(" ")[0]))
    page.get_by_role("row").nth(1).get_by_role("link").click()
    assert "REVIEW" in heading(visitor)
    page.get_by_role("link", name="Decide", exact=True).click()
    visitor.look("review")
    page.get_by_label("REJECT", exact=True).focus()
    page.keyboard.press("Space")
    page.get_by_label("Why, for the lender").focus()
    page.keyboard.type("No employer confirms the income.")
    page.get_by_role("button", name="Decide").focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert f"REJECT by {OFFICER}" in page.get_by_role("main").inner_text()
    visitor.look("reviewed")
    page.get_by_role("link", name="Letter").click()
    assert "Letter about" in heading(visitor)
    page.get_by_role("link", name="Reviews").click()
    now = page.get_by_role("main").get_by_role("paragraph").first.inner_text()
    assert now.startswith(f"{waiting - 1:,} ")


def test_outcomes_come_in_and_the_calibration_is_seen_to_be_off(visitor: Visitor, lender: Lender) -> None:
    page = visitor.page
    page.get_by_role("link", name="Outcomes").click()
    months = page.get_by_role("region", name="By month and version")
    assert months.get_by_role("row").filter(has_text="2025-12").get_by_role("cell").nth(4).inner_text() == "0"
    everything = Path(lender.environment["CALLERS__FILE"]).parent / "all.csv"
    lender.credit("outcomes", "load", str(everything), "--by", "collections")
    lender.credit("outcomes", "report", "--keep")
    page.reload()
    assert int(months.get_by_role("row").filter(has_text="2025-12").get_by_role("cell").nth(4).inner_text()) > 0
    assert "off" in months.inner_text()
    assert page.get_by_role("heading", name=re.compile("Calibration of version")).is_visible()
    visitor.look("outcomes")


def test_a_decision_of_the_service_is_overridden_and_the_report_says_by_whom(visitor: Visitor, lender: Lender) -> None:
    page = visitor.page
    first_decision(visitor, "ACCEPT")
    page.get_by_role("link", name="Decide otherwise").click()
    page.get_by_label("REJECT", exact=True).check()
    page.get_by_label("Why, for the lender").fill("The application is for somebody else.")
    page.get_by_role("button", name="Decide").click()
    assert "Choose one to 4 reasons" in page.get_by_role("alert").inner_text()
    page.get_by_label("LATE_PAYMENTS").check()
    page.get_by_role("button", name="Decide").click()
    assert f"REJECT by {OFFICER}" in page.get_by_role("main").inner_text()
    lender.credit("outcomes", "report", "--keep")
    page.get_by_role("link", name="Outcomes").click()
    row = page.get_by_role("region", name="What people decided").get_by_role("row").filter(has_text="ACCEPT")
    assert OFFICER in row.inner_text()


def test_groups_that_no_model_sees_are_compared(visitor: Visitor, lender: Lender, tmp_path: Path) -> None:
    groups = tmp_path / "groups.csv"
    lines = [f"S-2025-{month:02d}-{number:05d},{'ab'[number % 2]}" for month in range(1, 13) for number in range(300)]
    groups.write_text("\n".join(["application_id,kind", *lines]))
    lender.credit("fairness", "--groups", str(groups), "--factors", "--keep")
    visitor.page.get_by_role("link", name="Fairness").click()
    assert "0.0" in visitor.page.get_by_role("region", name="Factors").inner_text()
    assert visitor.page.get_by_role("region", name="Approval by group").get_by_role("row").count() > 20
    visitor.look("fairness")


def test_models_are_seen_with_the_verdict_of_the_gate(visitor: Visitor) -> None:
    page = visitor.page
    page.get_by_role("link", name="Models").click()
    assert "production" in page.get_by_role("region", name="Versions").inner_text()
    visitor.look("models")
    page.get_by_role("region", name="Versions").get_by_role("link").first.click()
    assert heading(visitor) == "Version 1, production"
    picture = page.get_by_role("img").first
    picture.scroll_into_view_if_needed()
    wait_until(lambda: picture.evaluate("it => it.complete && it.naturalWidth"), bool)
    assert "# credit-default-model" in page.get_by_role("region", name="Model card").inner_text()
    visitor.look("model")
    visitor.go("/models/1/promote")
    visitor.look("promote")
    page.get_by_role("button", name="Sign out").click()
    visitor.look("sign-in")
    visitor.go("/models")
    assert page.url.endswith("/sign-in")


def test_people_sign_in_at_a_provider_and_are_what_their_groups_say(browser: Any, at_provider: str) -> None:
    for name, officer in (("j.doe", True), ("a.roe", False)):
        context = browser.new_context()
        context.set_default_timeout(PATIENCE_SECONDS * 1000)
        page = context.new_page()
        page.goto(at_provider)
        page.get_by_role("link", name="Sign in there").click()
        page.get_by_placeholder("Enter any login").fill(name)
        page.get_by_placeholder("and password").fill("any")
        page.get_by_role("button", name="Sign-in").click()
        page.get_by_role("button", name="Continue").click()
        assert page.get_by_role("heading", level=1).inner_text() == "Decisions"
        assert f"{name}@lender.example" in page.get_by_role("banner").inner_text()
        page.get_by_role("row").nth(1).get_by_role("link").click()
        assert page.get_by_role("link", name="What if").count() == int(officer)
        page.get_by_role("button", name="Sign out").click()
        assert page.url == f"{at_provider}/sign-in"
        context.close()
