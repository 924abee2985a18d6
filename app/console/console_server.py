"""The console's own process."""

from ipaddress import ip_address

import uvicorn

from app.audit.commands.registered import registered
from app.audit.commands.replay import Deciders
from app.audit.made_by import made_by
from app.audit.store.database import open_engine
from app.audit.store.repository import Store
from app.audit.store.schema.migrating import migrate
from app.callers.file import load_callers
from app.console.console_routes import create_console
from app.console.openid import OpenId
from app.console.sessions import Proxied, Roles, Sessions
from app.console.shared import Console
from app.contract_file import load_contract
from app.errors import SettingInvalid
from app.letters.template import read_template
from app.serving.http.certificate import certificate_of
from app.serving.http.logs import logging_config
from app.settings import Settings, load_settings
from app.times import Month, microseconds_now
from app.user import user

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def serve_console(host: str, port: int) -> None:
    """Until SIGTERM. Raises SettingInvalid, also where strangers could read without a key; LetterInvalid."""
    settings = load_settings()
    callers = load_callers(settings)
    header, at_provider = settings.console.user_header, settings.console.openid
    roles = Roles(frozenset(settings.console.officers), frozenset(settings.console.approvers))
    if header and at_provider.issuer:
        raise SettingInvalid("console.user_header and console.openid.issuer are two ways to sign in; set one of them")
    proxied = Proxied(header, roles) if header else None
    openid = OpenId(at_provider, roles) if at_provider.issuer else None
    for_all = callers is None and proxied is None and openid is None
    if for_all and not _is_loopback(host):
        raise SettingInvalid(
            f"the console would show decisions to everybody who reaches {host}: name the API keys in callers.file, of"
            " which those with the scope read may sign in, let a proxy name people in console.user_header or a provider"
            " sign them in (console.openid), or listen on 127.0.0.1"
        )
    store = _record(settings)
    console = Console(
        settings=settings,
        store=store,
        deciders=Deciders(registered(settings), store, made_by(settings)),
        contract=load_contract(settings),
        sessions=Sessions(callers, user(), proxied, elsewhere=openid is not None),
        template=read_template(settings.letters.template_file),
        openid=openid,
        hosts=LOOPBACK if for_all else frozenset(),
    )
    # Refuses what is no certificate with its key; a renewed one is taken at the next start.
    certificate_of(settings.serving)
    uvicorn.run(
        create_console(console),
        host=host,
        port=port,
        log_config=logging_config(settings.serving.log_level),
        access_log=False,
        ssl_certfile=settings.serving.tls_certificate_file,
        ssl_keyfile=settings.serving.tls_key_file,
    )


def _record(settings: Settings) -> Store:
    """The record; an empty one where it is a file that nobody has made yet. Raises RecordUnavailable."""
    engine = open_engine(settings.audit.database_uri, create=True)
    if engine.dialect.name == "sqlite":
        migrate(engine, Month.of(microseconds_now()))
    return Store(engine)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
