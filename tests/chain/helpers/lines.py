"""Guarantee lines given and looked at, in whole units of cash."""

from __future__ import annotations

from types import SimpleNamespace

from tests.chain.helpers.signed import WAD

DAY = 86_400
#: An account without anything, as an action is held to that has to leave the initial margin.
EMPTY = (0, 0, [], [], [])


class Lines(SimpleNamespace):
    """Lines given and looked at, in whole units of cash."""

    def give(self, sponsor_id, beneficiary_id, cash, sec=10 * DAY, ramp=DAY):
        """Invite and give; the line's id."""
        owner = self.stack.accounts.ownerOf(beneficiary_id)
        self.contract.invite(beneficiary_id, sponsor_id, {"from": owner})
        terms = (cash * WAD, self.stack.chain[-1].timestamp + sec, ramp)
        sponsor = self.stack.accounts.ownerOf(sponsor_id)
        return self.contract.give(sponsor_id, beneficiary_id, *terms, {"from": sponsor}).return_value

    def held(self, line_id):
        """Cash of a line."""
        return self.stack.accounts.cashOf(line_id)

    def credit(self, account_id):
        """What counts."""
        return self.contract.creditOf(account_id)

    def end(self, line_id):
        """When a line ends."""
        return self.contract.lineOf(line_id)[2]
