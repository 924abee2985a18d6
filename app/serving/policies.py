"""Keeps the policy in force the one that the policy file holds, without a restart."""

import asyncio

from app.policy_file import parse_policy, read_policy
from app.serving.holder import Holder
from app.settings import Settings


class PolicyWatch:
    """Looks at the file again and again, for its content: Kubernetes changes a mounted ConfigMap by moving a link.

    A file that cannot be used is tried and counted each time, so that the alert holds until it is mended.
    """

    def __init__(self, settings: Settings, holder: Holder) -> None:
        self._settings = settings
        self._holder = holder
        self._taken: bytes | None = None

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await self.step()
            await asyncio.sleep(self._settings.serving.poll_seconds)

    async def step(self) -> None:
        """See once what should be in force, and make it so."""
        try:
            found = await asyncio.to_thread(read_policy, self._settings)
            if found == self._taken:
                return
            self._holder.take_policy(await asyncio.to_thread(parse_policy, found, self._settings))
        except Exception as error:
            self._taken = None
            self._holder.keep_policy(error)
        else:
            self._taken = found
