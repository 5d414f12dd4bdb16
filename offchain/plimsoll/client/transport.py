"""HTTP to a venue: models in, models out, and a refusal as one error with its code."""

from __future__ import annotations

from types import GenericAlias
from typing import Any, Final, TypeVar

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from plimsoll.client.schema.problem import Problem
from plimsoll.errors import PlimsollError, UnavailableError

TIMEOUT_SEC: Final = 15.0
PREFIX: Final = "/api"

M = TypeVar("M", bound=BaseModel)


class VenueError(PlimsollError):
    """The venue refuses; ``problem`` has code, field, value and limit."""

    def __init__(self, problem: Problem) -> None:
        super().__init__("venue", problem.message)
        self.problem = problem

    @property
    def code(self) -> str:
        """What kind of refusal it is."""
        return self.problem.code


class Transport:
    """One venue over HTTP.

    Parameters
    ----------
    url : str
        Address of the venue, without path.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._http = httpx.Client(base_url=self.url + PREFIX, timeout=TIMEOUT_SEC)
        self.token = ""

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def get(self, path: str, model: type[M], **query: Any) -> M:
        """Ask for one model."""
        return self._read(self._send("GET", path, None, query), model)

    def get_list(self, path: str, model: type[M], **query: Any) -> list[M]:
        """Ask for a list of models."""
        # `list[model]`, of a model that is known only when it is asked for.
        adapter: TypeAdapter[list[M]] = TypeAdapter(GenericAlias(list, (model,)))
        try:
            return adapter.validate_json(self._send("GET", path, None, query))
        except ValidationError as fault:
            raise UnavailableError(self.url, f"{path} answered what is not of this edition ({fault.title})") from None

    def post(self, path: str, body: BaseModel | dict[str, Any], model: type[M], method: str = "POST") -> M:
        """Send a model."""
        content = (
            body.model_dump_json() if isinstance(body, BaseModel) else httpx.Request("POST", "/", json=body).content
        )
        return self._read(self._send(method, path, content, {}), model)

    def _read(self, content: bytes, model: type[M]) -> M:
        try:
            return model.model_validate_json(content)
        except ValidationError as fault:
            raise UnavailableError(self.url, f"answered what is not of this edition ({fault.title})") from None

    def _send(self, method: str, path: str, content: Any, query: dict[str, Any]) -> bytes:
        headers = {"Content-Type": "application/json"} if content is not None else {}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        asked = {name: value for name, value in query.items() if value is not None}
        try:
            response = self._http.request(method, path, content=content, params=asked, headers=headers)
        except httpx.HTTPError as reason:
            raise UnavailableError(self.url, f"no answer to {method} {path} ({type(reason).__name__})") from reason
        if response.status_code >= 400 and path != "/health":
            raise self._refusal(response)
        return response.content

    def _refusal(self, response: httpx.Response) -> PlimsollError:
        try:
            return VenueError(Problem.model_validate_json(response.content))
        except ValidationError:
            return UnavailableError(self.url, f"answered with status {response.status_code}")
