"""Keeps the policy in force the one that the policy file holds."""

import asyncio

from app.policy_file import parse_policy, read_policy
from app.serving.live.holder import Holder
from app.serving.live.watched_file import FileWatch
from app.settings import Settings


class PolicyWatch(FileWatch):
    """As FileWatch, for the holder's policy."""

    def __init__(self, settings: Settings, holder: Holder) -> None:
        super().__init__(settings.serving.poll_seconds)
        self._settings = settings
        self._holder = holder

    def read(self) -> bytes:
        return read_policy(self._settings)

    async def take(self, content: bytes) -> None:
        self._holder.take_policy(await asyncio.to_thread(parse_policy, content, self._settings))

    def keep(self, error: Exception) -> None:
        self._holder.keep_policy(error)
