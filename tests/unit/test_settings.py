"""Environment beats the file, the file beats the default, and a bad value is refused by name."""

from pathlib import Path

import pytest

from app import settings as module
from app.errors import SettingInvalid
from app.settings import WELL_KNOWN, load_settings


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in WELL_KNOWN:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(module, "CONFIG_FILE", tmp_path / "config.yaml")


def write_config(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.yaml").write_text(text)


def test_the_defaults_hold_without_any_source() -> None:
    settings = load_settings()
    assert settings.decision.threshold is None
    assert settings.mlflow.model_uri == "models:/credit-default-model@production"
    assert settings.mlflow.tracking_uri.startswith("sqlite:///")


def test_the_file_beats_the_default(tmp_path: Path) -> None:
    write_config(tmp_path, "decision: {threshold: 0.1}\nmlflow: {model_uri: models:/other/3}")
    settings = load_settings()
    assert settings.decision.threshold == 0.1
    assert settings.mlflow.model_uri == "models:/other/3"
    assert settings.mlflow.model_name == "credit-default-model"


def test_the_environment_beats_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_config(tmp_path, "decision: {threshold: 0.1}\nmlflow: {model_uri: models:/other/3, model_name: other}")
    monkeypatch.setenv("MODEL_URI", "models:/other@challenger")
    monkeypatch.setenv("DECISION__THRESHOLD", "0.2")
    settings = load_settings()
    assert settings.mlflow.model_uri == "models:/other@challenger"
    assert settings.mlflow.model_name == "other"
    assert settings.decision.threshold == 0.2


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEL_URI", "")
    assert load_settings().mlflow.model_uri == "models:/credit-default-model@production"


@pytest.mark.parametrize(
    ("variable", "value", "name"),
    [
        ("DECISION__THRESHOLD", "1.5", "decision.threshold"),
        ("DECISION__THRESHOLD", "five", "decision.threshold"),
        ("MODEL_URI", "models:/credit-default-model", "mlflow.model_uri"),
        ("MLFLOW_TRACKING_URI", "mlflow:5000", "mlflow.tracking_uri"),
        ("TRAIN__HELD_OUT_SHARE", "0.9", "train.held_out_share"),
    ],
)
def test_a_bad_value_is_refused_with_its_name_the_value_and_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, name: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingInvalid) as refusal:
        load_settings()
    assert name in str(refusal.value)
    assert variable in str(refusal.value)
    assert repr(value) in str(refusal.value)
    assert "allowed:" in str(refusal.value)


def test_an_unknown_setting_is_refused_by_name(tmp_path: Path) -> None:
    write_config(tmp_path, "decision: {treshold: 0.1}")
    with pytest.raises(SettingInvalid, match=r"decision\.treshold does not exist"):
        load_settings()


def test_every_bad_value_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DECISION__THRESHOLD", "0")
    monkeypatch.setenv("TRAIN__FOLDS", "1")
    with pytest.raises(SettingInvalid, match=r"decision\.threshold.*train\.folds"):
        load_settings()


@pytest.mark.parametrize("text", ["- a", "decision: [", "just words"])
def test_a_file_that_is_no_mapping_is_refused_by_its_name(tmp_path: Path, text: str) -> None:
    write_config(tmp_path, text)
    with pytest.raises(SettingInvalid, match=r"config\.yaml is not a YAML mapping|setting"):
        load_settings()


@pytest.mark.parametrize(("name", "value"), [("SERVING", "fast"), ("TRAIN", '{"seed": 1')])
def test_a_section_set_as_a_whole_is_refused_by_its_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingInvalid, match=name.lower()):
        load_settings()


def test_a_refused_address_keeps_its_password_to_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "ftp://user:s3cret@host")
    with pytest.raises(SettingInvalid) as refusal:
        load_settings()
    assert "s3cret" not in str(refusal.value)


def test_the_bounds_of_a_number_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DECISION__THRESHOLD", "2")
    with pytest.raises(SettingInvalid, match="more than 0, less than 1"):
        load_settings()


@pytest.mark.parametrize("password", ["p/w0rd", "p@ssw0rd", "w0rd?x=/@"])
def test_a_password_of_any_characters_stays_out_of_the_message(monkeypatch: pytest.MonkeyPatch, password: str) -> None:
    monkeypatch.setenv("DATABASE_URI", f"mysql://credit:{password}@db/credit")
    with pytest.raises(SettingInvalid) as refused:
        load_settings()
    assert "w0rd" not in str(refused.value)
    assert "DATABASE_URI" in str(refused.value)


@pytest.mark.parametrize("secret", ["password", "token"])
def test_a_secret_of_the_wrong_kind_stays_out_of_the_message(tmp_path: Path, secret: str) -> None:
    write_config(tmp_path, f"mlflow: {{{secret}: 8412639}}")
    with pytest.raises(SettingInvalid, match=f"setting mlflow.{secret} ") as refused:
        load_settings()
    assert "8412639" not in str(refused.value)


def test_credentials_go_by_the_names_that_mlflow_knows_and_show_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("USERNAME", "PASSWORD", "TOKEN"):
        monkeypatch.setenv(f"MLFLOW_TRACKING_{name}", f"s3cret-{name}")
    mlflow = load_settings().mlflow
    assert mlflow.username == "s3cret-USERNAME"
    assert mlflow.password.get_secret_value() == "s3cret-PASSWORD"
    assert mlflow.token.get_secret_value() == "s3cret-TOKEN"
    assert "s3cret-PASSWORD" not in repr(mlflow)
    assert "s3cret-TOKEN" not in repr(mlflow)
