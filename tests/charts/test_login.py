"""Users of MLflow's: from which Secrets they come, what is refused, and that the other charts' logins fit."""

from typing import Any

import pytest

from tests.charts.conftest import Object, one, refusal, render
from tests.charts.test_trust import variables
from tests.charts.variants import values_of

ADMINISTRATOR = {"existingSecret": "boss", "usernameKey": "user", "passwordKey": "secret", "formKey": "form"}
ASKED = {
    "auth": {
        "enabled": True,
        "administrator": ADMINISTRATOR,
        "users": [{"existingSecret": "api", "permission": "EDIT"}],
    }
}


def server(values: Object) -> Object:
    found: Object = one(render("mlflow", values), "Deployment")["spec"]["template"]["spec"]
    return found


def named(containers: list[Object], name: str) -> Object:
    (found,) = [it for it in containers if it["name"] == name]
    return found


def key(secret: str, name: str) -> dict[str, Any]:
    return {"secretKeyRef": {"name": secret, "key": name}}


def test_nobody_is_asked_unless_it_is_wanted() -> None:
    spec = server({})
    assert [it["name"] for it in spec["initContainers"]] == ["database"]
    assert "--app-name=basic-auth" not in spec["containers"][0]["args"]
    assert not [name for name in variables(spec["containers"][0]) if "AUTH" in name or "FLASK" in name]


def test_users_come_from_their_secrets_the_administrator_first() -> None:
    spec = server(ASKED)
    given = variables(named(spec["initContainers"], "users"))
    assert [given[f"USER_{number}_FROM"] for number in (0, 1)] == ["boss", "api"]
    assert (given["USER_0_NAME"], given["USER_0_PASSWORD"]) == (key("boss", "user"), key("boss", "secret"))
    assert (given["USER_1_NAME"], given["USER_1_PASSWORD"]) == (key("api", "username"), key("api", "password"))
    assert given["USER_1_PERMISSION"] == "EDIT"
    asking = variables(spec["containers"][0])
    assert asking["MLFLOW_FLASK_SERVER_SECRET_KEY"] == key("boss", "form")
    assert asking["MLFLOW_AUTH_CONFIG_PATH"] == given["MLFLOW_AUTH_CONFIG_PATH"]


def test_without_an_administrator_it_is_refused() -> None:
    assert "auth.enabled needs auth.administrator.existingSecret" in refusal("mlflow", {"auth": {"enabled": True}})


def test_the_charts_own_test_logs_in_as_the_administrator() -> None:
    (test,) = [it for it in render("mlflow", ASKED) if it["kind"] == "Pod"]
    given = variables(test["spec"]["containers"][0])
    assert given["MLFLOW_TRACKING_USERNAME"] == key("boss", "user")
    assert given["MLFLOW_TRACKING_PASSWORD"] == key("boss", "secret")


def test_a_secret_of_the_apis_login_is_one_of_a_user() -> None:
    login = values_of("api")["mlflow"]["login"] | {"existingSecret": "api"}
    (container,) = one(render("api", {"mlflow": {"login": login}}), "Deployment", "api")["spec"]["template"]["spec"][
        "containers"
    ]
    user = variables(named(server(ASKED)["initContainers"], "users"))
    asks = variables(container)
    assert asks["MLFLOW_TRACKING_USERNAME"] == user["USER_1_NAME"]
    assert asks["MLFLOW_TRACKING_PASSWORD"] == user["USER_1_PASSWORD"]


@pytest.mark.parametrize("values", [{}, ASKED])
def test_prometheus_has_a_port_where_no_model_can_be_asked_for(values: Object) -> None:
    objects = render("mlflow", values | {"serviceMonitor": {"enabled": True}})
    (endpoint,) = one(objects, "ServiceMonitor")["spec"]["endpoints"]
    assert endpoint["port"] == "metrics"
    prometheus = values_of("mlflow")["networkPolicy"]["metricsFrom"]
    doors = one(objects, "NetworkPolicy", "mlflow")["spec"]["ingress"]
    assert [rule["ports"] for rule in doors if prometheus[0] in rule["from"]] == [[{"port": "metrics"}]]
