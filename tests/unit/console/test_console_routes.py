"""The pages: found, explained, checked, tried otherwise, written about; and who may see them."""

import asyncio
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.audit.acts import Actor, Acts
from app.audit.commands.replay import Deciders
from app.audit.store.outcome_rows import outcomes
from app.audit.store.repository import Store
from app.callers.known import Callers
from app.console.console_routes import create_console
from app.console.promotion_pages import open_request
from app.console.sessions import COOKIE, Proxied, Roles, Sessions
from app.console.shared import Console
from app.letters.template import read_template
from app.outcomes.given import Given
from app.outcomes.loading import load_outcomes
from app.registry import Registered, write_verdict
from app.registry.aliases import version_of
from app.registry.client import connect
from app.reports.kept_reports import FAIRNESS, OUTCOMES, keep_report
from app.reports.performance import outcome_report
from app.scoring.decider import Decider
from app.settings import Settings
from harness.fields import CONTRACT
from harness.servers import audit_in
from tests.support.fakes import NAME, caller, constant_model, settings_for
from tests.support.records import (
    NOON,
    SECOND,
    SIGNER,
    challenged,
    decided,
    fairness_of,
    linked,
    policy_entry,
    policy_of_tests,
    read_all,
)

CALLERS = Callers(
    (
        caller("officer", "cdk_officer", "read"),
        caller("decider", "cdk_decider", "read", "review"),
        caller("office", "cdk_office", "predict"),
    )
)


@dataclass
class Browser:
    """Keeps its cookies; follows no redirect."""

    app: Any
    cookies: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, **keywords: Any) -> httpx.Response:
        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://console", cookies=self.cookies
            ) as client:
                answer = await client.request(method, path, **keywords)
                self.cookies = dict(client.cookies)
                return answer

        return asyncio.run(asked())

    def get(self, path: str, **keywords: Any) -> httpx.Response:
        return self.ask("GET", path, **keywords)

    def post(self, path: str, **keywords: Any) -> httpx.Response:
        return self.ask("POST", path, **keywords)


@dataclass
class World:
    store: Store
    browser: Browser
    accepted: str
    refused: str
    console: Console

    def acts(self, what: str) -> list[dict[str, Any]]:
        kept = [it.to_link().fields for it in self.store.entries(("act",), None, None)]
        return [it for it in kept if it["what"] == what]


def world(store: Store, folder: Path, callers: Callers | None = None, template: str = "") -> World:
    settings = Settings(audit=audit_in(folder))
    letter = settings.letters.template_file
    if template:
        letter = folder / "letter.html"
        letter.write_text(template)
    refusing = Decider(constant_model(0.3), policy_of_tests())
    entries = [
        decided(Decider(constant_model(0.01, "2"), policy_of_tests()), at=NOON, application_id="A-1"),
        decided(refusing, at=NOON + SECOND, application_id="<b>A-2</b>"),
    ]
    store.insert(linked([policy_entry(), *entries, challenged(entries[0], 0.04)]), SIGNER)
    models = {
        "models:/credit-default-model/1": constant_model(0.3),
        "models:/credit-default-model/2": constant_model(0.01, "2"),
    }
    console = Console(
        settings=settings,
        store=store,
        deciders=Deciders(lambda uri: models[uri], store),
        contract=CONTRACT,
        sessions=Sessions(callers, "somebody"),
        template=read_template(letter),
    )
    return World(store, Browser(create_console(console)), entries[0].key, entries[1].key, console)


def test_decisions_are_found_by_id_application_and_verdict(store: Store, tmp_path: Path) -> None:
    it = world(store, tmp_path)
    everything = it.browser.get("/").text
    assert it.accepted in everything
    assert it.refused in everything
    assert "&lt;b&gt;A-2" in everything
    assert "<b>A-2" not in everything
    by_verdict = it.browser.get("/?verdict=REJECT&id=&application=").text
    assert it.refused in by_verdict
    assert it.accepted not in by_verdict
    assert it.accepted in it.browser.get("/?application=A-1").text
    assert "No decision is like that." in it.browser.get("/?application=A-9").text
    day = "2026-09-21"
    for query, shown in (
        ("version=2", [True, False]),
        ("version=1", [False, True]),
        ("version=9", [False, False]),
        (f"from={day}&to={day}", [True, True]),
        ("from=2026-09-22", [False, False]),
        ("to=2026-09-20", [False, False]),
        ("from=soon", [True, True]),
    ):
        told = it.browser.get(f"/?{query}").text
        assert [it.accepted in told, it.refused in told] == shown, query
    found = it.browser.get(f"/?id={it.accepted.upper()}")
    assert (found.status_code, found.headers["location"]) == (303, f"/decisions/{it.accepted}")
    assert "holds no decision of this id" in it.browser.get("/?id=nothing").text


def test_older_decisions_are_a_page_further(store: Store, tmp_path: Path) -> None:
    it = world(store, tmp_path)
    decider = Decider(constant_model(0.01, "2"), policy_of_tests())
    store.insert(linked([decided(decider, at=NOON + (10 + at) * SECOND) for at in range(40)]), SIGNER)
    first = it.browser.get("/").text
    assert it.refused not in first
    (further,) = re.findall(r'<a href="(/\?cursor=[^"]+)">Older', first)
    second = it.browser.get(further.replace("&amp;", "&")).text
    assert it.refused in second
    assert "Older" not in second
    assert it.browser.get("/?cursor=nonsense").status_code == 303


def test_one_decision_is_told_with_all_that_it_followed_from_and_the_look_is_kept(store: Store, tmp_path: Path) -> None:
    it = world(store, tmp_path)
    told = it.browser.get(f"/decisions/{it.refused}").text
    for part in ("0.300000", "credit-default-model version 1", "Reasons", "What each factor does", "dollars a month"):
        assert part in told
    assert "utilisation" in told
    assert ": 0.040000" in it.browser.get(f"/decisions/{it.accepted}").text
    assert [(act["by"], act["about"]["decision"]) for act in it.acts("look")] == [
        ("somebody", it.refused),
        ("somebody", it.accepted),
    ]
    missing = it.browser.get("/decisions/0197f6a5-0000-7000-8000-000000000000")
    assert (missing.status_code, "holds no decision" in missing.text) == (404, True)


def test_an_outcome_is_told_and_the_report_has_it(store: Store, tmp_path: Path) -> None:
    it = world(store, tmp_path)
    load_outcomes(store, [Given(2, it.accepted, None, 1, "2026-12-01")], "x.csv", "somebody", SIGNER, lambda _: None)
    assert "default, observed 2026-12-01" in it.browser.get(f"/decisions/{it.accepted}").text
    assert "No report has been made yet" in it.browser.get("/outcomes").text
    known = outcomes(store)
    keep_report(store, OUTCOMES, outcome_report(read_all(store), known, store, CONTRACT), SIGNER)
    report = it.browser.get("/outcomes").text
    assert "2026-09" in report
    assert "100.00 %" in report


def test_models_are_told_with_their_verdicts_and_what_was_done_to_them(store: Store, tmp_path: Path) -> None:
    it = world(store, tmp_path)
    settings = settings_for(tmp_path)
    browser = Browser(create_console(replace(it.console, settings=settings)))
    assert "No version is registered yet" in browser.get("/models").text
    connect(settings).create_registered_model(NAME)
    connect(settings).create_model_version(NAME, source="nowhere")
    write_verdict(Registered(NAME, "1", "", "d1"), False, ["its ROC AUC is <too> low"], settings)
    Acts(store, it.console.settings.audit).keep(
        "promotion", Actor("J. Doe", "it is better", "A. Roe"), {"version": "1"}
    )
    it.console.looked("somebody", "look", it.accepted)
    told = browser.get("/models").text
    assert "its ROC AUC is &lt;too&gt; low" in told
    for part in ("J. Doe", "A. Roe", "it is better", "version 1"):
        assert part in told
    assert it.accepted not in told
    one = browser.get("/models/1").text
    for part in ("Put it into production", "promotion by J. Doe, approved by A. Roe: it is better", "&lt;too&gt; low"):
        assert part in one
    # Where it is off nobody is shown the way, nor may go it.
    quiet = settings.model_copy(update={"console": settings.console.model_copy(update={"promotion": False})})
    browser = Browser(create_console(replace(it.console, settings=quiet)))
    assert "Put it into production" not in browser.get("/models/1").text
    for answer in (browser.get("/models/1/promote"), browser.post("/models/1/promote", data={"reason": "x"})):
        assert (answer.status_code, "console.promotion" in answer.text) == (403, True)


def test_a_request_to_promote_is_open_until_production_was_judged(sqlite_store: Store, tmp_path: Path) -> None:
    it = world(sqlite_store, tmp_path)
    settings = settings_for(tmp_path)
    connect(settings).create_registered_model(NAME)
    connect(settings).create_model_version(NAME, source="nowhere")
    version, acts = version_of("1", settings), Acts(sqlite_store, it.console.settings.audit)
    assert open_request(it.console, version) is None
    acts.keep("promotion_asked", Actor("J. Doe", "it is better"), {"version": "1", "alias": "production"})
    acts.keep("promotion", Actor("J. Doe", ""), {"version": "1", "alias": "challenger", "gate": "passed"})
    assert (open_request(it.console, version) or {})["by"] == "J. Doe"
    acts.keep("promotion", Actor("J. Doe", ""), {"version": "1", "alias": "production", "gate": "refused"})
    assert open_request(it.console, version) is None


def test_what_waits_for_a_person_is_decided_with_a_name_and_words_for_the_applicant(
    store: Store, tmp_path: Path
) -> None:
    it = world(store, tmp_path)
    assert "Nothing waits." in it.browser.get("/reviews").text
    policy = replace(policy_of_tests(), review=0.02)
    waits = decided(Decider(constant_model(0.03, "1"), policy), at=NOON + 5 * SECOND, application_id="<i>A-5</i>")
    store.insert(linked([policy_entry(policy=policy), waits]), SIGNER)
    queue = it.browser.get("/reviews").text
    assert "1 decision waits" in queue
    assert "&lt;i&gt;A-5" in queue
    assert any(line.startswith("credit_reviews_oldest_timestamp_seconds 1.") for line in _metrics(it))
    page = f"/decisions/{waits.key}/review"
    assert "Letter</a>" not in it.browser.get(f"/decisions/{waits.key}").text
    form = it.browser.get(page).text
    assert 'name="reason:LATE_30_DAYS"' in form
    wrong = it.browser.post(page, data={"verdict": "REJECT", "note": "<b>no</b>", "seen": ""})
    assert (wrong.status_code, "Choose one to 4 reasons" in wrong.text) == (422, True)
    assert "&lt;b&gt;no" in wrong.text
    typed = {"verdict": "REJECT", "note": "no employer", "seen": "", "reason:LATE_30_DAYS": "on"}
    done = it.browser.post(page, data=typed)
    assert (done.status_code, done.headers["location"]) == (303, f"/decisions/{waits.key}")
    assert it.browser.post(page, data=typed | {"verdict": "ACCEPT"}).status_code == 409
    told = it.browser.get(f"/decisions/{waits.key}").text
    for part in ("by somebody", "no employer", "LATE_30_DAYS", "Letter</a>"):
        assert part in told
    assert "Nothing waits." in it.browser.get("/reviews").text
    assert policy.phrases["LATE_30_DAYS"] in it.browser.get(f"/decisions/{waits.key}/letter").text
    assert it.browser.get("/decisions/0197f6a5-0000-7000-8000-000000000000/review").status_code == 404


def test_the_latest_report_of_groups_is_shown(store: Store, tmp_path: Path) -> None:
    it = world(store, tmp_path)
    assert "No report has been made yet" in it.browser.get("/fairness").text
    report = fairness_of(store, {"A-1": ("f",), "<b>A-2</b>": ("m",)})
    keep_report(store, FAIRNESS, report, SIGNER)
    told = it.browser.get("/fairness").text
    for part in ("2 of 2 decisions", "four-fifths", "<td>f</td>", "0.01 to 0.02"):
        assert part in told
    # Nobody of the one group is approved, so that there is no ratio.
    assert "–" in told


def test_a_key_decides_only_with_the_scope_for_it(store: Store, tmp_path: Path) -> None:
    it = world(store, tmp_path, callers=CALLERS)
    page = f"/decisions/{it.refused}/review"
    for key, allowed in (("cdk_officer", False), ("cdk_decider", True)):
        it.browser.cookies.clear()
        it.browser.post("/sign-in", data={"key": key})
        told = it.browser.get(f"/decisions/{it.refused}").text
        assert ("Decide otherwise" in told) is allowed
        assert "What if" in told
        form = it.browser.get(page)
        assert form.status_code == (200 if allowed else 403)
        assert ("scope review" in form.text) is not allowed
    typed = {"verdict": "ACCEPT", "note": "three payslips", "seen": ""}
    assert it.browser.post(page, data=typed).status_code == 303
    it.browser.cookies.clear()
    it.browser.post("/sign-in", data={"key": "cdk_officer"})
    assert it.browser.post(page, data=typed).status_code == 403
    assert "by decider" in it.browser.get(f"/decisions/{it.refused}").text


def _metrics(it: World) -> list[str]:
    return it.browser.get("/metrics").text.splitlines()


def test_prometheus_reads_the_latest_report_without_signing_in(store: Store, tmp_path: Path) -> None:
    it = world(store, tmp_path, callers=CALLERS)
    stranger = it.browser
    assert "credit_outcomes" not in stranger.get("/metrics").text
    assert "credit_reviews_waiting 0.0" in stranger.get("/metrics").text.splitlines()
    load_outcomes(store, [Given(2, it.accepted, None, 1, "2026-12-01")], "x.csv", "somebody", SIGNER, lambda _: None)
    keep_report(store, OUTCOMES, outcome_report(read_all(store), outcomes(store), store, CONTRACT), SIGNER)
    told = stranger.get("/metrics").text.splitlines()
    assert 'credit_outcomes_known{model_version="2"} 1.0' in told
    assert 'credit_outcomes_bad_rate{model_version="2"} 1.0' in told
    assert any(line.startswith('credit_outcomes_expected_bad_rate{model_version="2"} 0.01') for line in told)
    assert 'credit_outcomes_roc_auc_high{model_version="2"} NaN' in told
    assert any(line.startswith("credit_outcome_report_timestamp_seconds 1.") for line in told)


def test_the_button_verifies_and_replays(store: Store, tmp_path: Path) -> None:
    it = world(store, tmp_path)
    assert "comes out again to the last bit" in it.browser.post(f"/decisions/{it.refused}/check").text
    with store.engine.begin() as connection:
        changed = "UPDATE decisions SET content = replace(content, 'REJECT', 'ACCEPT')"
        connection.execute(text(changed))
    answer = it.browser.post(f"/decisions/{it.refused}/check")
    assert "does not have its hash" in answer.text
    assert "comes out again" not in answer.text


def test_what_if_says_what_the_model_would_and_keeps_nothing_of_it(store: Store, tmp_path: Path) -> None:
    it = world(store, tmp_path)
    before = len(store.entries(("decision", "act", "policy"), None, None)), store.count(None, None)
    assert 'value="5400"' in it.browser.get(f"/decisions/{it.refused}/what-if").text
    typed = dict.fromkeys(CONTRACT.asked_names, "17")
    told = it.browser.post(f"/decisions/{it.refused}/what-if", data=typed).text
    # The policy's own rule refuses whoever is younger.
    assert "REJECT" in told
    assert 'value="17"' in told
    wrong = it.browser.post(f"/decisions/{it.refused}/what-if", data=typed | {"age": "old", "DebtRatio": "-1"}).text
    assert "age must be a number" in wrong
    assert "DebtRatio must be at least 0" in wrong
    after = len(store.entries(("decision", "act", "policy"), None, None)), store.count(None, None)
    # Only that somebody looked.
    assert after == (before[0] + 3, before[1])
    assert [act["about"] for act in it.acts("what_if")] == [{"decision": it.refused}] * 3


def test_a_letter_is_looked_at_and_kept_once_it_is_sent(store: Store, tmp_path: Path) -> None:
    it = world(store, tmp_path, template="<p>{{ decision_id }}</p>{% for it in reasons %}<p>{{ it }}</p>{% endfor %}")
    assert "PDF, and keep it as sent" in it.browser.get(f"/decisions/{it.refused}/letter").text
    assert store.entries(("letter",), None, None) == []
    sent = it.browser.post(f"/decisions/{it.refused}/letter")
    assert (sent.headers["content-type"], sent.content[:5]) == ("application/pdf", b"%PDF-")
    (kept,) = store.entries(("letter",), None, None)
    assert (kept.key, kept.to_link().fields["by"]) == (it.refused, "somebody")
    refused = it.browser.post(f"/decisions/{it.accepted}/letter")
    assert "there is nothing to give notice of" in refused.text


def test_a_letter_that_lawyers_have_not_settled_is_a_draft(store: Store, tmp_path: Path) -> None:
    it = world(store, tmp_path)
    told = it.browser.get(f"/decisions/{it.refused}/letter").text
    assert "A draft: the template still has" in told
    looks = len(it.acts("letter_preview"))
    assert it.browser.post(f"/decisions/{it.refused}/letter").content.startswith(b"%PDF-")
    assert store.entries(("letter",), None, None) == []
    # What was sent is kept; of a draft, that somebody took it.
    assert len(it.acts("letter_preview")) == looks + 1


def test_who_has_no_session_is_sent_to_sign_in_and_sees_nothing(sqlite_store: Store, tmp_path: Path) -> None:
    it = world(sqlite_store, tmp_path, CALLERS)
    for method, path in (
        ("GET", "/"),
        ("GET", f"/decisions/{it.refused}"),
        ("POST", f"/decisions/{it.refused}/letter"),
    ):
        answer = it.browser.ask(method, path)
        assert (answer.status_code, answer.headers["location"], answer.content) == (303, "/sign-in", b"")
    for key in ("", "cdk_nobody", "cdk_office"):
        assert it.browser.post("/sign-in", data={"key": key}).status_code == 403
    assert it.acts("look") == []
    answer = it.browser.post("/sign-in", data={"key": "cdk_officer"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert it.browser.get(f"/decisions/{it.refused}").status_code == 200
    assert [act["by"] for act in it.acts("look")] == ["officer"]
    old = dict(it.browser.cookies)
    it.browser.post("/sign-out")
    it.browser.cookies = old
    assert it.browser.get("/").status_code == 303
    assert COOKIE in old


def test_whom_a_proxy_names_is_kept_and_only_officers_write_letters(sqlite_store: Store, tmp_path: Path) -> None:
    it = world(sqlite_store, tmp_path, CALLERS)
    proxied = Proxied("X-Forwarded-Email", Roles(frozenset({"officer@lender.example"})))
    browser = Browser(create_console(replace(it.console, sessions=Sessions(CALLERS, "somebody", proxied))))
    officer, viewer = ({"X-Forwarded-Email": f"{name}@lender.example"} for name in ("officer", "viewer"))
    page = f"/decisions/{it.refused}"
    for named in ({}, {"X-Forwarded-Email": " "}, {"X-Forwarded-Email": "x" * 201}):
        assert browser.get(page, headers=named).headers["location"] == "/sign-in"
    told = browser.get("/sign-in")
    assert (told.status_code, "X-Forwarded-Email is missing" in told.text) == (401, True)
    # A key opens no second way in.
    assert browser.post("/sign-in", data={"key": "cdk_officer"}).status_code == 403
    assert "Letter</a>" in browser.get(page, headers=officer).text
    assert "Letter</a>" not in browser.get(page, headers=viewer).text
    for path in (f"{page}/letter", f"{page}/what-if"):
        for ask in (browser.get, browser.post):
            assert ask(path, headers=viewer).status_code == 403
        assert browser.get(path, headers=officer).status_code == 200
    assert browser.post(f"{page}/check", headers=viewer).status_code == 200
    assert [act["by"] for act in it.acts("look")] == ["officer@lender.example"] + ["viewer@lender.example"] * 2


@pytest.mark.parametrize("path", ["/", "/sign-in", "/static/console.css", "/nothing", "/decisions/1"])
def test_every_answer_says_what_a_browser_may_do_with_it(sqlite_store: Store, tmp_path: Path, path: str) -> None:
    answer = world(sqlite_store, tmp_path).browser.get(path)
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'")
    assert answer.headers["cache-control"] == "no-store"
    assert "<script" not in answer.text
    assert "style=" not in answer.text


def test_another_site_can_ask_for_nothing(sqlite_store: Store, tmp_path: Path) -> None:
    it = world(sqlite_store, tmp_path)
    foreign = it.browser.post(f"/decisions/{it.refused}/letter", headers={"Origin": "https://elsewhere.example"})
    own = it.browser.post(f"/decisions/{it.refused}/check", headers={"Origin": "http://console"})
    assert (foreign.status_code, own.status_code) == (403, 200)


def test_where_nobody_signs_in_another_name_for_this_machine_is_refused(sqlite_store: Store, tmp_path: Path) -> None:
    it = world(sqlite_store, tmp_path)
    closed = replace(it.console, hosts=frozenset({"localhost"}))
    browser = Browser(create_console(closed))
    assert browser.get(f"/decisions/{it.refused}").status_code == 403
    assert browser.get(f"http://localhost:8080/decisions/{it.refused}").status_code == 200


def test_a_form_without_end_is_cut_off(sqlite_store: Store, tmp_path: Path) -> None:
    it = world(sqlite_store, tmp_path, CALLERS)
    assert "larger than 64 KiB" in it.browser.post("/sign-in", data={"key": "x" * 70_000}).text
