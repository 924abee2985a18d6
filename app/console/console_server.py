"""The console's own process."""

from ipaddress import ip_address

import uvicorn

from app.audit.commands.registered import registered
from app.audit.commands.replay import Deciders
from app.audit.made_by import made_by
from app.audit.store.database import open_engine
from app.audit.store.repository import Store
from app.callers.file import load_callers
from app.console.console_routes import create_console
from app.console.sessions import Proxied, Sessions
from app.console.shared import Console
from app.contract_file import load_contract
from app.errors import SettingInvalid
from app.letters.template import read_template
from app.serving.http.logs import logging_config
from app.settings import load_settings
from app.user import user

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def serve_console(host: str, port: int) -> None:
    """Until SIGTERM. Raises SettingInvalid, also where strangers could read without a key; LetterInvalid."""
    settings = load_settings()
    callers = load_callers(settings)
    header = settings.console.user_header
    proxied = Proxied(header, frozenset(settings.console.officers)) if header else None
    if callers is None and proxied is None and not _is_loopback(host):
        raise SettingInvalid(
            f"the console would show decisions to everybody who reaches {host}: name the API keys in callers.file, of"
            " which those with the scope read may sign in, let a proxy name people in console.user_header, or listen on"
            " 127.0.0.1"
        )
    store = Store(open_engine(settings.audit.database_uri))
    console = Console(
        settings=settings,
        store=store,
        deciders=Deciders(registered(settings), store, made_by(settings)),
        contract=load_contract(settings),
        sessions=Sessions(callers, user(), proxied),
        template=read_template(settings.letters.template_file),
        hosts=LOOPBACK if callers is None and proxied is None else frozenset(),
    )
    log_config = logging_config(settings.serving.log_level)
    uvicorn.run(create_console(console), host=host, port=port, log_config=log_config, access_log=False)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
