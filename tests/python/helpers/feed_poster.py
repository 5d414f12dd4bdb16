"""The poster as the keeper uses it: a desk in an event loop of its own, whose calls are relayed to the real oracle."""

from __future__ import annotations

from helpers.feed_world import SIGNERS, run

from plimsoll.feeds.desk import FeedDesk
from plimsoll.feeds.memory import Memory
from plimsoll.feeds.posting import PostingRule
from plimsoll.feeds.samples import SampleStore
from plimsoll.feeds.signer_client import LocalSigner, Quorum, RemoteSigner


class Poster:
    """A desk whose every use is an event loop of its own, with the memory of the one before."""

    def __init__(self, world, engine, source, urls=()):
        self.world, self.engine, self.source, self.urls = world, engine, source, urls
        self.messages, self.standing = world.messages(), {}
        self.rule, self.wraps, self.memory = PostingRule(), None, Memory()

    def use(self, act):
        async def once():
            view = self.world.view(self.wraps)
            signers = [RemoteSigner(url, self.messages) for url in self.urls]
            signers = signers or [LocalSigner(account, self.messages) for account in SIGNERS[:2]]
            quorum = Quorum(signers, self.messages, view.quorum, view.is_signer)
            samples = SampleStore(self.engine)
            desk = FeedDesk(self.source, view, self.messages, quorum, samples, self.rule, memory=self.memory)
            for found in self.standing.values():
                desk.stand(found)
            try:
                return await act(desk)
            finally:
                await desk.close()

        return run(once())

    def posts(self, required=None, **options):
        """Make posts, relay them, note what stands."""
        made = self.use(lambda desk: desk.posts(required or {}, **options))
        for post in made.posts:
            self.world.send(post.data)
            if post.group.startswith("round:"):
                self.standing[post.posted.underlying] = post.posted
        return made

    def keys(self, made):
        return [post.key for post in made.posts]

    def spot(self, symbol):
        return self.world.oracle("lastSpotOf", self.world.deployment.underlyings[symbol])
