"""Make a year of decisions and outcomes in the record that the settings name: `python -m scripts.simulate_year`.

For trying `credit outcomes report` and the console with something to see. Applicants are drawn from the rows of DATA,
or of the synthetic sample, decided on by the model in production, and the accepted pay or default as its probabilities
say; from the month --drift on three times as many default. Outcomes are written to a file for `credit outcomes load`.
"""

import argparse
import csv
from pathlib import Path

import numpy as np

from app.audit.chain import Chain, Entry, link_of
from app.audit.signing import signer_of
from app.audit.store.database import open_engine
from app.audit.store.repository import Store
from app.audit.store.schema.migrating import migrate
from app.contract_file import load_contract
from app.ids import Ids
from app.policy_file import load_policy
from app.promotion.judging import registered_model
from app.scoring.decider import Decider
from app.settings import load_settings
from app.times import Month
from app.training.data import load

SEED = 12
LINKS_AT_ONCE = 2_000
WORSE = 3.0
"""How many times as many default once the drift has begun."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--year", type=int, default=2025)
    parser.add_argument("--a-month", type=int, default=2_000, help="decisions of each month (2000)")
    parser.add_argument("--drift", type=int, default=7, help="the month in which it begins (7)")
    parser.add_argument("--outcomes", type=Path, default=Path("outcomes.csv"), help="the file to write (outcomes.csv)")
    asked = parser.parse_args()
    settings, random = load_settings(), np.random.default_rng(SEED)
    contract = load_contract(settings)
    decider = Decider(registered_model("production", settings), load_policy(settings))
    engine = open_engine(settings.audit.database_uri, create=True)
    migrate(engine, Month(asked.year, 1))
    store, signer, ids = Store(engine), signer_of(settings.audit), Ids()
    vectors = load(settings).wire
    chain = Chain(ids.next())
    policy = Entry("policy", decider.policy.version, Month(asked.year, 1).start, {"policy": decider.policy.to_json()})
    entries, outcomes = [policy], []
    for month in range(1, 13):
        start, end = Month(asked.year, month).start, Month(asked.year, month).plus(1).start
        moments = np.sort(random.integers(start, end, asked.a_month)).tolist()
        chosen = vectors[random.integers(0, len(vectors), asked.a_month)].tolist()
        for number, (at, vector) in enumerate(zip(moments, chosen, strict=True)):
            made = _decision(decider, vector, at, f"S-{asked.year}-{month:02d}-{number:05d}")
            entries.append(made)
            if made.fields["decision"] == "ACCEPT":
                likely = made.fields["probability"] * (WORSE if month >= asked.drift else 1.0)
                bad = contract.outcome.bad if random.random() < likely else contract.outcome.good
                outcomes.append((made.fields["application_id"], bad, f"{asked.year + 1}-{month:02d}-28"))
    for start in range(0, len(entries), LINKS_AT_ONCE):
        links = chain.seal(entries[start : start + LINKS_AT_ONCE])
        store.insert([link_of(*it) for it in links], signer)
        chain.advance(links)
    with asked.outcomes.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["application_id", "outcome", "observed"])
        writer.writerows(outcomes)
    print(f"{len(entries) - 1:,} decisions, {len(outcomes):,} outcomes in {asked.outcomes}")  # noqa: T201 - its output


def _decision(decider: Decider, vector: list[float], at: int, application_id: str) -> Entry:
    decision, model = decider.decide(vector), decider.model
    fields = {
        "request_id": "simulated",
        "caller": None,
        "application_id": application_id,
        "row": None,
        "features": model.contract.values(vector),
        "model": model.identity.lasting,
        "policy_version": decider.policy.version,
        "probability": decision.probability,
        "decision": decision.verdict,
        "reasons": [{"code": it.code, "feature": it.feature, "text": it.text} for it in decision.reasons],
    }
    return Entry("decision", Ids(lambda: at).next(), at, fields)


if __name__ == "__main__":
    main()
