"""The default contract, and the names in it that tests and load tests speak of."""

from app.contract.factors import identity
from app.contract_file import load_contract
from app.settings import Settings

CONTRACT = load_contract(Settings())
FEATURES = CONTRACT.asked_names
POSITIONS = CONTRACT.names
NULLABLE = CONTRACT.nullable
TARGET = CONTRACT.outcome.name
AGE = POSITIONS.index("age")
PLAIN = CONTRACT.with_factors([identity(name) for name in FEATURES])
"""The same fields for a model that takes them as they stand."""
