"""What the console's pages have in common: what they work on, how they are rendered, and how a form is read."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl

from fastapi import Request
from starlette.responses import Response

from app.audit.acts import Actor, Acts
from app.audit.commands.replay import Deciders
from app.audit.store.lookup import canonical_id
from app.audit.store.repository import Store, Stored
from app.console.openid import OpenId
from app.console.sessions import Sessions
from app.contract.contract import Contract
from app.errors import LetterInvalid
from app.letters.template import LetterTemplate
from app.settings import Settings

MOST_FORM_BYTES = 64 * 1024

Render = Callable[..., Response]


@dataclass(frozen=True, slots=True)
class Console:
    """What the pages work on."""

    settings: Settings
    store: Store
    deciders: Deciders
    contract: Contract
    sessions: Sessions
    template: LetterTemplate
    openid: OpenId | None = None
    """Where people sign in, if not here."""
    hosts: frozenset[str] = frozenset()
    """Names that it answers to; all of them when empty. Where nobody signs in, a page of another site whose name was
    made to lead here could read everything."""

    def stored(self, key: str) -> Stored | None:
        """A decision by its id."""
        canonical = canonical_id(key)
        return None if canonical is None else self.store.decision(canonical)

    def looked(self, who: str, what: str, key: str) -> None:
        """Keep that somebody looked at a person's decision. Raises RecordUnavailable: then nothing is shown."""
        Acts(self.store, self.settings.audit).keep(what, Actor(who, "console"), {"decision": key})


async def form_of(request: Request) -> dict[str, str]:
    """What a form holds. Raises LetterInvalid for one without end."""
    content = b""
    async for part in request.stream():
        content += part
        if len(content) > MOST_FORM_BYTES:
            raise LetterInvalid("this form is larger than 64 KiB")
    return dict(parse_qsl(content.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=1_000))
