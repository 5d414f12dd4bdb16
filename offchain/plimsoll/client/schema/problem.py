"""Refusals: one sentence with a code, and the field, value and limit that it is about."""

from __future__ import annotations

from typing import Final, Literal

from plimsoll.client.schema.fields import Told

Code = Literal[
    # What was sent cannot be read, or one of its fields is wrong.
    "badField",
    "badSignature",
    "notAuthorised",
    "expired",
    "nonceCancelled",
    "transferred",
    "overfilled",
    "otherFilled",
    "duplicate",
    "notListed",
    "instrumentPaused",
    "priceStep",
    "quantityStep",
    "strikeOutsideBand",
    "feeTooLow",
    "notReducing",
    "wouldCross",
    "notFilled",
    "selfTrade",
    "margin",
    "barred",
    "tooManyOrders",
    "tooManyAccounts",
    # What it names is not there, or may not be seen.
    "unknownOrder",
    "unknownAccount",
    "unknownInstrument",
    "unknownRequest",
    "unknownChannel",
    "notFound",
    "notLoggedIn",
    "notYours",
    # The venue or the chain cannot do it now.
    "rateLimit",
    "tooLarge",
    "tooSlow",
    "roundStale",
    "chainDown",
    "databaseDown",
    "stopping",
    "defect",
]

#: HTTP status of a refusal; everything else is 422.
STATUS: Final[dict[str, int]] = {
    "badField": 422,
    "unknownOrder": 404,
    "unknownAccount": 404,
    "unknownInstrument": 404,
    "unknownRequest": 404,
    "notFound": 404,
    "notLoggedIn": 401,
    "notYours": 403,
    "duplicate": 409,
    "rateLimit": 429,
    "tooLarge": 413,
    "tooSlow": 408,
    "roundStale": 503,
    "chainDown": 503,
    "databaseDown": 503,
    "stopping": 503,
    "defect": 500,
}


class Problem(Told):
    """Why something was refused."""

    code: Code
    #: One sentence for a person, with both numbers where there are two.
    message: str
    field: str | None = None
    value: str | None = None
    limit: str | None = None
    retryAfterSec: float | None = None

    @property
    def status(self) -> int:
        """HTTP status."""
        return STATUS.get(self.code, 422)


class RefusalError(Exception):
    """A request is refused; caught at the border and answered as a :class:`Problem`.

    Parameters
    ----------
    code : str
        See :data:`Code`.
    message : str
        One sentence.
    field, value, limit : str, optional
        What it is about.
    retry_after_sec : float, optional
        When to come back.
    """

    def __init__(
        self,
        code: Code,
        message: str,
        *,
        field: str | None = None,
        value: object = None,
        limit: object = None,
        retry_after_sec: float | None = None,
    ) -> None:
        super().__init__(message)
        self.problem = Problem(
            code=code,
            message=message,
            field=field,
            value=None if value is None else str(value),
            limit=None if limit is None else str(limit),
            retryAfterSec=retry_after_sec,
        )
