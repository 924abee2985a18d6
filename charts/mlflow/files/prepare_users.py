"""Writes down where MLflow finds its users, and brings those of the Secrets into the database, with their passwords."""

import logging
import os
from configparser import ConfigParser
from dataclasses import dataclass
from pathlib import Path

from prepare_database import alone, engine_of

log = logging.getLogger("prepare")


@dataclass(frozen=True)
class User:
    """One of the Secrets'. The first of them is the administrator."""

    secret: str
    name: str
    password: str
    permission: str
    is_admin: bool


def listed() -> list[User]:
    users: list[User] = []
    while (secret := os.environ.get(f"USER_{len(users)}_FROM")) is not None:
        name, password, permission = (
            os.environ[f"USER_{len(users)}_{it}"] for it in ("NAME", "PASSWORD", "PERMISSION")
        )
        users.append(User(secret, name, password, permission, is_admin=not users))
    return users


def write_config(path: Path, address: str, administrator: str) -> None:
    """For its owner's eyes alone: the address holds the database's password, and MLflow takes it from a file only."""
    config = ConfigParser()
    escaped = {"database_uri": address.replace("%", "%%"), "admin_username": administrator.replace("%", "%%")}
    config["mlflow"] = {"default_permission": "READ"} | escaped
    path.touch(0o600)
    with path.open("w") as file:
        config.write(file)


def bring(users: list[User], address: str) -> None:
    # Here because it reads the file while it is imported.
    from mlflow.exceptions import MlflowException
    from mlflow.server.auth.sqlalchemy_store import SqlAlchemyStore

    store = SqlAlchemyStore()
    store.init_db(address)
    for user in users:
        try:
            if not store.has_user(user.name):
                store.create_user(user.name, user.password, is_admin=user.is_admin)
                log.info("user %s is made", user.name)
            elif not store.authenticate_user(user.name, user.password):
                store.update_user(user.name, password=user.password)
                log.info("user %s has another password", user.name)
            store.update_user(user.name, is_admin=user.is_admin)
            for kind in ("experiment", "registered_model"):
                store.grant_user_permission(user.name, kind, "*", user.permission)
        except MlflowException as error:
            raise SystemExit(f"Secret {user.secret}, user {user.name!r}: {error.message}") from error


def main() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    log.setLevel(logging.INFO)
    address = os.environ["MLFLOW_BACKEND_STORE_URI"]
    users = listed()
    if twice := [it.name for it in users if [other.name for other in users].count(it.name) > 1]:
        secrets = " and ".join(it.secret for it in users if it.name == twice[0])
        raise SystemExit(f"the Secrets {secrets} name the same user {twice[0]!r}: rename one")
    config = Path(os.environ["MLFLOW_AUTH_CONFIG_PATH"])
    write_config(config, address, users[0].name)
    with alone(engine_of(address)):
        bring(users, address)
    log.info("the users are up to date")


if __name__ == "__main__":
    main()
