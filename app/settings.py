"""Settings: environment > configs/config.yaml > defaults. The only reader of the environment."""

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    YamlConfigSettingsSource,
)
from yaml import YAMLError

from app.errors import SettingInvalid

ROOT = Path(__file__).resolve().parent.parent
CONFIG_FILE = ROOT / "configs" / "config.yaml"

# The variables that people know by these names; every other setting is SECTION__NAME, as in DECISION__THRESHOLD.
WELL_KNOWN: dict[str, tuple[str, ...]] = {
    "MODEL_URI": ("mlflow", "model_uri"),
    "MLFLOW_TRACKING_URI": ("mlflow", "tracking_uri"),
    "MLFLOW_TRACKING_USERNAME": ("mlflow", "username"),
    "MLFLOW_TRACKING_PASSWORD": ("mlflow", "password"),
    "MLFLOW_TRACKING_TOKEN": ("mlflow", "token"),
    "MLFLOW_S3_ENDPOINT_URL": ("train", "s3_endpoint_url"),
    "DATA": ("train", "data"),
    "DATABASE_URI": ("audit", "database_uri"),
    "GIT_COMMIT": ("git_commit",),
    "OTEL_EXPORTER_OTLP_ENDPOINT": ("tracing", "endpoint"),
    "OTEL_SERVICE_NAME": ("tracing", "service_name"),
}

SECRET = {("mlflow", "password"), ("mlflow", "token")}
# How the bounds of a number are told.
WORDS = {"gt": "more than", "ge": "at least", "lt": "less than", "le": "at most"}


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


class DecisionSettings(Section):
    threshold: float | None = Field(
        None, gt=0, lt=1, description="REJECT from this probability of default on; set, it beats the policy's own."
    )
    policy_file: Path = Field(
        ROOT / "configs" / "policy.yaml", description="The policy: threshold, hard rules, and the words of the reasons."
    )


class ContractSettings(Section):
    file: Path = Field(
        ROOT / "configs" / "contract.yaml", description="The contract: the fields of an application and the factors."
    )


class MlflowSettings(Section):
    model_uri: str = Field(
        "models:/credit-default-model@production",
        pattern=r"^(models:/[^/@]+(@[^/@]+|/[0-9]+)|runs:/[0-9a-f]+/.+)$",
        description="The model to serve: models:/name@alias, models:/name/version or runs:/run/path.",
    )
    challenger_uri: str = Field(
        "models:/credit-default-model@challenger",
        pattern=r"^(models:/[^/@]+@[^/@]+)?$",
        description="models:/name@alias of a model that scores too, without deciding; empty in the file: none.",
    )
    model_name: str = Field("credit-default-model", min_length=1, description="Name that training registers under.")
    tracking_uri: str = Field(
        f"sqlite:///{ROOT / 'mlflow.db'}",
        pattern=r"^(https?://|sqlite:///).+",
        description="The MLflow server (http://…, https://…) or an embedded file (sqlite:///…).",
    )
    username: str = Field("", description="User at an MLflow server that asks for one, with its password.")
    password: SecretStr = Field(SecretStr(""), description="Of that user.")
    token: SecretStr = Field(SecretStr(""), description="Bearer token, where the server asks for that instead.")


class GateSettings(Section):
    """What a candidate must reach on the held-out rows before it may serve."""

    min_roc_auc: float = Field(0.8, ge=0.5, le=1, description="Lowest ROC AUC.")
    max_calibration_error: float = Field(0.02, gt=0, lt=1, description="Highest expected calibration error.")
    max_auc_loss: float = Field(0.002, ge=0, lt=1, description="Most ROC AUC that may be lost against production.")
    max_brier_loss: float = Field(0.0005, ge=0, lt=1, description="Most Brier score that may be lost to production.")
    min_elderly_auc_ratio: float = Field(
        0.9, ge=0, le=1, description="ROC AUC of 62 and over / below 62, at least; 0: not asked."
    )
    min_elderly_approval_ratio: float = Field(
        0.8, ge=0, le=1, description="Approval rate of 62 and over / below 62, at least; 0: not asked."
    )
    min_group_auc_ratio: float = Field(
        0.0, ge=0, le=1, description="ROC AUC of each of train.groups / that of the largest, at least; 0: not asked."
    )
    min_group_approval_ratio: float = Field(
        0.0, ge=0, le=1, description="Approval rate of each of train.groups / of the largest, at least; 0: not asked."
    )
    max_group_calibration_error: float = Field(
        0.0, ge=0, lt=1, description="Highest calibration error in any of train.groups; 0: not asked."
    )


class TrainSettings(Section):
    data: str = Field("", description="CSV or Parquet path, or s3:// address; empty: the synthetic sample.")
    s3_endpoint_url: str = Field("", description="Endpoint of an S3 server other than AWS, such as MinIO.")
    groups: tuple[str, ...] = Field((), description="Columns of the data that no model sees and reports compare by.")
    held_out_share: float = Field(0.2, ge=0.05, le=0.5, description="Share of the rows that no training ever sees.")
    folds: int = Field(5, ge=2, le=20, description="Folds of the cross-validation.")
    seed: int = Field(20, ge=0, description="Seed of the model and the bootstrap.")
    bootstrap_rounds: int = Field(200, ge=50, le=10_000, description="Resamples behind the ROC AUC's interval.")
    gate: GateSettings = GateSettings()


class ServingSettings(Section):
    cache_dir: Path = Field(ROOT / ".cache" / "models", description="Where pulled models are kept, ready to serve.")
    poll_seconds: float = Field(5.0, ge=0.1, le=3600, description="How often alias and policy are looked at.")
    pull_timeout_seconds: float = Field(120.0, ge=1, le=3600, description="Longest time for one pull of a model.")
    drain_seconds: float = Field(
        0.0, ge=0, le=60, description="After SIGTERM, how long to go on answering, closing each connection answered."
    )
    pull_memory_megabytes: int = Field(
        512,
        ge=384,
        le=65536,
        description="Most memory (RLIMIT_DATA) for one pull, of which MLflow and scikit-learn need 370.",
    )
    pull_megabytes: int = Field(256, ge=1, le=65536, description="Largest model that is downloaded.")
    cache_versions: int = Field(
        5, ge=2, le=1000, description="Versions kept in the cache, ready to roll back to; what serves always stays."
    )
    cache_megabytes: int = Field(512, ge=1, le=1_048_576, description="Size that the cache is trimmed to after a pull.")
    require_verdict: bool = Field(
        True, description="Follow an alias only to a version whose very files have passed the gate."
    )
    allow_pickle: bool = Field(False, description="Also load pickled models, which run code of their author's.")
    trusted_types: tuple[str, ...] = Field(
        (), description="Types that a skops file may hold beside those that run no code, by their dotted names."
    )
    positive_class: str = Field(
        "", description="Class that means default, of models whose classes are not 0 and 1; the version's tag beats it."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least severe log line shown.")
    tls_certificate_file: Path | None = Field(
        None, description="Certificate in PEM, its chain behind it, to serve HTTPS alone; read anew when it changes."
    )
    tls_key_file: Path | None = Field(None, description="The certificate's key in PEM.")


PublicKey = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class AuditSettings(Section):
    enabled: bool = Field(True, description="Keep each decision; without it nothing can be shown or recomputed later.")
    journal_dir: Path = Field(
        ROOT / ".cache" / "journal", description="Where decisions are kept until the database has them."
    )
    journal_megabytes: int = Field(
        512, ge=1, le=1_048_576, description="Most that the journal may hold while the database is away."
    )
    on_failure: Literal["refuse", "serve"] = Field(
        "refuse", description="When a decision cannot be kept: refuse it with 503, or serve it unkept and alert."
    )
    durability: Literal["kernel", "disk"] = Field(
        "kernel",
        description="What an answer waits for: that the kernel has its decision, or that the disk has it, come a power"
        " cut.",
    )
    database_uri: str = Field(
        f"sqlite:///{ROOT / 'decisions.db'}",
        pattern=r"^(postgresql(\+psycopg2)?://|sqlite:///).+",
        description="The database of the decisions: postgresql://… or an embedded sqlite:///…",
    )
    require_application_id: bool = Field(False, description="Refuse to decide on an application without an id of it.")
    ship_seconds: float = Field(1.0, ge=0.1, le=3600, description="How often the journal is brought to the database.")
    retention_months: int = Field(25, ge=1, le=1200, description="Whole months that decisions are kept.")
    four_eyes: bool = Field(False, description="A promotion needs the name of a second person; training makes none.")
    signing_key_file: Path | None = Field(
        None, description="Ed25519 key in PEM that signs the record; empty: one in the journal's folder, made at need."
    )
    trusted_keys: tuple[PublicKey, ...] = Field(
        (), description="Public keys, 64 hex digits each, whose signatures verify believes beside the service's own."
    )
    signed_since: str = Field(
        "",
        pattern=r"^(\d{4}-\d\d-\d\d)?$",
        description="Day, as 2026-01-31, before which releases signed nothing; empty: everything has to be signed.",
    )
    checkpoints: str = Field(
        "",
        description="Where signed ends of all chains are kept: a folder or s3://bucket/prefix; empty: nowhere.",
    )

    @property
    def journal_bytes(self) -> int:
        return self.journal_megabytes * 1024 * 1024

    @property
    def signing_key(self) -> Path:
        """Where the key that signs is, or is to be made."""
        return self.signing_key_file or self.journal_dir / "signing.key"

    @property
    def signed_since_moment(self) -> int | None:
        """Its first moment in UTC, microseconds since 1970; None where it is not set. Raises SettingInvalid."""
        if not self.signed_since:
            return None
        try:
            day = datetime.fromisoformat(self.signed_since).replace(tzinfo=UTC)
        except ValueError:
            raise SettingInvalid(f"setting audit.signed_since is {self.signed_since}, which is no day") from None
        return int(day.timestamp()) * 1_000_000


class LettersSettings(Section):
    template_file: Path = Field(
        ROOT / "configs" / "letter.html", description="The letter to a refused applicant, as HTML with placeholders."
    )


class OpenIdSettings(Section):
    issuer: str = Field(
        "",
        pattern=r"^(https?://[^/]+[^ ]*[^/ ])?$",
        description="OpenID provider that signs people in, as https://login.lender.example; empty: none does.",
    )
    client_id: str = Field("", description="By which that provider knows the console.")
    client_secret: SecretStr = Field(SecretStr(""), description="That goes with it.")
    url: str = Field(
        "",
        pattern=r"^(https?://[^/ ]+)?$",
        description="Where people open the console; the provider sends them back to URL/sign-in/done.",
    )
    scopes: str = Field("openid email", description="That the provider is asked for; some want one more for groups.")
    groups_claim: str = Field("groups", description="Claim with the groups of a person, by which they have roles.")


class ConsoleSettings(Section):
    user_header: str = Field(
        "",
        pattern=r"^([A-Za-z][A-Za-z0-9-]*)?$",
        description="Header in which a proxy that signs people in names them; empty: an API key signs in.",
    )
    officers: tuple[str, ...] = Field(
        (), description="People, or group:NAME of the provider, who may decide, write letters and try; others look."
    )
    approvers: tuple[str, ...] = Field(
        (), description="People, or group:NAME of the provider, who may put a model into production."
    )
    openid: OpenIdSettings = OpenIdSettings()
    promotion: bool = Field(
        True,
        description="Let models be promoted from the console, which then has to reach the data that the gate needs.",
    )


class TracingSettings(Section):
    endpoint: str = Field(
        "",
        pattern=r"^(https?://.+)?$",
        description="Collector that spans go to, by OTLP over HTTP, as http://collector:4318; empty: none.",
    )
    sampled_share: float = Field(
        0.01,
        ge=0,
        le=1,
        description="Share of the requests without a traceparent that have a span; its flag decides of the others.",
    )
    service_name: str = Field("credit-api", min_length=1, description="What spans say that they are of.")


class CallersSettings(Section):
    file: Path | None = Field(
        None, description="Who may ask, with hashes of their API keys; empty: everybody, without a key."
    )


class WellKnownVariables(PydanticBaseSettingsSource):
    """The variables of WELL_KNOWN, as a settings source of their own."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        raise NotImplementedError  # part of the base class's contract; __call__ answers for every field

    def __call__(self) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for variable, path in WELL_KNOWN.items():
            if text := os.environ.get(variable, "").strip():
                section = values
                for key in path[:-1]:
                    section = section.setdefault(key, {})
                section[path[-1]] = text
        return values


class Settings(BaseSettings):
    """All that can be set, one section a concern."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_nested_delimiter="__", env_ignore_empty=True, yaml_file_encoding="utf-8"
    )

    git_commit: str = Field("unknown", description="Commit that the running code was built from.")
    decision: DecisionSettings = DecisionSettings()
    contract: ContractSettings = ContractSettings()
    mlflow: MlflowSettings = MlflowSettings()
    train: TrainSettings = TrainSettings()
    serving: ServingSettings = ServingSettings()
    audit: AuditSettings = AuditSettings()
    callers: CallersSettings = CallersSettings()
    letters: LettersSettings = LettersSettings()
    console: ConsoleSettings = ConsoleSettings()
    tracing: TracingSettings = TracingSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (
            init_settings,
            WellKnownVariables(settings_cls),
            env_settings,
            YamlConfigSettingsSource(settings_cls, yaml_file=CONFIG_FILE),
        )


def load_settings() -> Settings:
    """Read every source once.

    Raises SettingInvalid with, for each bad setting, its name, its value and what is allowed.
    """
    try:
        return Settings()
    except ValidationError as error:
        raise SettingInvalid("; ".join(_sentence(detail) for detail in error.errors())) from error
    except SettingsError as error:
        raise SettingInvalid(f"{error}: a section is set through its settings, as in DECISION__THRESHOLD") from error
    except (YAMLError, ValueError, TypeError) as error:
        raise SettingInvalid(f"{CONFIG_FILE.name} is not a YAML mapping of sections to settings") from error


def _sentence(detail: Any) -> str:
    path = tuple(str(part) for part in detail["loc"])
    variable = next((name for name, target in WELL_KNOWN.items() if target == path), "__".join(path).upper())
    if detail["type"] == "extra_forbidden":
        return f"setting {'.'.join(path)} does not exist; remove it from the environment or {CONFIG_FILE.name}"
    # An address may hold a password, as in http://user:password@host, with any character in it.
    value = "…" if path in SECRET else re.sub(r"//.*@", "//…@", repr(detail["input"]))
    # A pattern tells people less than the words for what is allowed.
    wrong = "" if detail["type"] == "string_pattern_mismatch" else f": {detail['msg']}"
    return f"setting {'.'.join(path)} (environment: {variable}) is {value}{wrong}; allowed: {_allowed(path)}"


def _allowed(path: tuple[str, ...]) -> str:
    model: type[BaseModel] = Settings
    for key in path[:-1]:
        model = model.model_fields[key].annotation  # type: ignore[assignment]
    field = model.model_fields.get(path[-1])
    if field is None:
        return f"a mapping; see {CONFIG_FILE.name}"
    bounds = [
        f"{WORDS[name]} {getattr(limit, name)}" for limit in field.metadata for name in WORDS if hasattr(limit, name)
    ]
    return f"{field.description} {', '.join(bounds)}".strip()
