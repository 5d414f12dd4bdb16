"""Answers: models to JSON without a second validation, and refusals to their status."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel

from plimsoll.client.schema.problem import Problem, RefusalError
from plimsoll.errors import InputError, UnavailableError

JSON: Final = "application/json"
#: Longest part of a wrong value that a message repeats.
SHOWN: Final = 80


def told(model: BaseModel, status: int = 200) -> Response:
    """Answer with one model."""
    return Response(model.model_dump_json(by_alias=True), status, media_type=JSON)


def listed(models: Sequence[BaseModel]) -> Response:
    """Answer with a list of models."""
    return Response("[" + ",".join(model.model_dump_json(by_alias=True) for model in models) + "]", media_type=JSON)


def refused(problem: Problem) -> Response:
    """Answer with a refusal."""
    headers = {} if problem.retryAfterSec is None else {"Retry-After": str(max(1, round(problem.retryAfterSec)))}
    return Response(problem.model_dump_json(), problem.status, headers=headers, media_type=JSON)


def problem_of_fields(errors: Sequence[Any]) -> Problem:
    """Return the refusal of a body or query of the wrong shape: its first fault, by its path.

    Parameters
    ----------
    errors : sequence of dict
        As pydantic reports them.

    Returns
    -------
    Problem
    """
    first = errors[0]
    path = ".".join(str(part) for part in first["loc"] if part not in ("body", "query", "path", "header"))
    what = str(first["msg"]).removeprefix("Value error, ")
    value = first.get("input")
    shown = None if isinstance(value, dict | list) or value is None else str(value)[:SHOWN]
    limits = {name: limit for name, limit in (first.get("ctx") or {}).items() if isinstance(limit, int | float | str)}
    more = f", and {len(errors) - 1} more" if len(errors) > 1 else ""
    name = path or "body"
    return Problem(
        code="badField",
        message=f"{name}: {what[0].lower()}{what[1:]}{more}",
        field=name,
        value=shown,
        limit=str(next(iter(limits.values()))) if limits else None,
    )


async def on_refusal(_request: Request, refusal: RefusalError) -> Response:
    """Answer a refusal."""
    return refused(refusal.problem)


async def on_fields(_request: Request, fault: RequestValidationError) -> Response:
    """Answer what cannot be read."""
    return refused(problem_of_fields(fault.errors()))


async def on_input(_request: Request, fault: InputError) -> Response:
    """Answer an input that an inner room refused."""
    return refused(Problem(code="badField", message=str(fault), field=fault.source))


async def on_unavailable(_request: Request, fault: UnavailableError) -> Response:
    """Answer that chain or database is away."""
    code: Any = "databaseDown" if fault.source.startswith("database") else "chainDown"
    return refused(Problem(code=code, message=str(fault), retryAfterSec=1.0))


async def on_status(_request: Request, fault: Exception) -> Response:
    """Answer an unknown path or method in the same form as everything else."""
    status, text = int(getattr(fault, "status_code", 500)), str(getattr(fault, "detail", fault))
    problem = Problem(code="notFound" if status == 404 else "badField", message=text)
    return Response(problem.model_dump_json(), status, headers=getattr(fault, "headers", None), media_type=JSON)
