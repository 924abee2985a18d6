"""`config` of charts/api takes every setting that the chart does not set itself, within the setting's own limits."""

import json
from collections.abc import Iterator
from typing import Any

import yaml

from app.contract.contract import Contract
from app.scoring.policy import Policy
from app.settings import Settings
from tests.charts.conftest import CHARTS, ROOT, one, render

SET_BY_THE_CHART = {
    "git_commit",
    "decision.policy_file",
    "contract.file",
    "mlflow.tracking_uri",
    "mlflow.username",
    "mlflow.password",
    "mlflow.token",
    "train.data",
    "train.s3_endpoint_url",
    "serving.cache_dir",
    "serving.tls_certificate_file",
    "serving.tls_key_file",
    "audit.enabled",
    "audit.journal_dir",
    "audit.on_failure",
    "audit.database_uri",
    "audit.retention_months",
    "audit.signing_key_file",
    "audit.checkpoints",
    "callers.file",
    "letters.template_file",
    "console.user_header",
    "console.officers",
    "console.approvers",
    "console.promotion",
    "console.openid.issuer",
    "console.openid.client_id",
    "console.openid.client_secret",
    "console.openid.url",
    "console.openid.scopes",
    "console.openid.groups_claim",
}
"""By a value of its own, by the image, by a file that it mounts, or for commands that no pod of it runs."""

LIMITS = ("type", "enum", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "items")

Schema = dict[str, Any]


def settings() -> Iterator[tuple[str, Schema]]:
    """Each setting's name and what it allows."""
    schema = Settings.model_json_schema()

    def found(section: Schema, path: str) -> Iterator[tuple[str, Schema]]:
        for name, told in section["properties"].items():
            if "$ref" in told:
                yield from found(schema["$defs"][told["$ref"].rpartition("/")[2]], f"{path}{name}.")
            else:
                yield f"{path}{name}", _known(told)

    yield from found(schema, "")


def _known(told: Schema) -> Schema:
    """The limits alone; of what may be left out, those of what it is otherwise."""
    told = next((it for it in told.get("anyOf", []) if it.get("type") != "null"), told)
    limits = {name: told[name] for name in LIMITS if name in told}
    # A list of values says their type already.
    return {name: value for name, value in limits.items() if name != "type" or "enum" not in limits}


def values(section: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    """Each of config's values and what it allows."""
    for name, told in section["properties"].items():
        if "properties" in told:
            yield from values(told, f"{path}{name}.")
        else:
            yield f"{path}{name}", _known(told)


def test_every_setting_is_a_value_within_its_own_limits() -> None:
    schema = json.loads((CHARTS / "api" / "values.schema.json").read_text())
    wanted = {name: allowed for name, allowed in settings() if name not in SET_BY_THE_CHART}
    assert dict(values(schema["properties"]["config"])) == wanted


def test_a_lender_says_in_values_what_the_record_promises() -> None:
    config: dict[str, dict[str, Any]] = {
        "train": {"groups": ["sex"], "gate": {"min_elderly_auc_ratio": 0, "min_group_approval_ratio": 0.8}},
        "serving": {"require_verdict": False},
        "audit": {
            "durability": "disk",
            "require_application_id": True,
            "four_eyes": True,
            "signed_since": "2026-01-31",
        },
    }
    deployed = yaml.safe_load(one(render("api", {"config": config}), "ConfigMap", "api-config")["data"]["config.yaml"])
    for name, section in config.items():
        assert deployed[name].items() >= section.items()


def test_a_second_lender_is_values_alone() -> None:
    example = ROOT / "examples" / "german-credit"
    contract, policy = (yaml.safe_load((example / f"{name}.yaml").read_text()) for name in ("contract", "policy"))
    config: dict[str, dict[str, Any]] = {
        "mlflow": {"model_name": "german-credit", "model_uri": "models:/german-credit@production"},
        "train": {
            "groups": ["personal_status_and_sex", "foreign_worker"],
            "gate": {
                "min_roc_auc": 0.7,
                "max_calibration_error": 0.15,
                "min_elderly_auc_ratio": 0,
                "min_elderly_approval_ratio": 0,
            },
        },
    }
    objects = render("api", {"contract": contract, "policy": policy, "config": config})
    deployed = one(objects, "ConfigMap", "api-policy")["data"]
    assert Contract.from_json(yaml.safe_load(deployed["contract.yaml"])) == Contract.from_json(contract)
    served = Policy.from_json(yaml.safe_load(deployed["policy.yaml"]))
    assert [*served.problems(Contract.from_json(contract))] == []
    assert served.threshold == policy["threshold"]
    settings = yaml.safe_load(one(objects, "ConfigMap", "api-config")["data"]["config.yaml"])
    assert settings["train"]["groups"] == config["train"]["groups"]
