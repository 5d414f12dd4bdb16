"""What can be wrong with an answer of a node, as one typed error; and which kind an error answer is."""

from __future__ import annotations

from typing import Any, Final, Literal

from plimsoll.chain.revert import RevertError, decode_revert
from plimsoll.errors import UnavailableError

Kind = Literal["down", "limit", "malformed", "unsupported", "refused"]

#: JSON-RPC codes for "too much": of EIP-1474, and of several providers.
LIMIT_CODES: Final = frozenset({-32005, -32016, -32029, 429})
UNSUPPORTED_CODES: Final = frozenset({-32601, -32004})
#: Nodes and providers word their limits differently and use any code for them.
LIMIT_TEXTS: Final = (
    *("query returned more than", "limit exceeded", "exceeds the range", "block range", "range too large"),
    *("too many requests", "rate limit", "request limit", "response size", "too large", "batch limit", "batch size"),
    *("is limited to", "exceed maximum", "query timeout exceeded", "too many blocks", "exceeds max", "capacity"),
)
UNSUPPORTED_TEXTS: Final = ("method not found", "does not exist/is not available", "not supported", "unsupported")
#: Code of a revert in every node of today.
REVERT_CODE: Final = 3
REVERT_TEXT: Final = "execution reverted"


class NodeProblem(UnavailableError):  # noqa: N818 (a problem is also returned, as the answer to one request of a batch)
    """A node gave no answer that can be used.

    Parameters
    ----------
    source : str
        Which node, without credentials.
    message : str
        What was asked and what is wrong.
    kind : str
        ``down``: not reached, or broken; ``limit``: too much was asked, at once or in a time; ``malformed``: an answer
        that no sound node gives; ``unsupported``: the node lacks the method; ``refused``: it does not want to.
    retry_after_sec : float, optional
        What a node over its limit asked for.
    """

    def __init__(self, source: str, message: str, kind: Kind, retry_after_sec: float | None = None) -> None:
        super().__init__(source, message)
        self.kind: Kind = kind
        self.retry_after_sec = retry_after_sec


def _kind_of(code: Any, text: str) -> Kind:
    """Sort an error answer by its code, and by its words where the code says nothing."""
    lowered = text.lower()
    if code in LIMIT_CODES or any(part in lowered for part in LIMIT_TEXTS):
        return "limit"
    if code in UNSUPPORTED_CODES or any(part in lowered for part in UNSUPPORTED_TEXTS):
        return "unsupported"
    return "refused"


def problem_of(source: str, method: str, error: Any) -> NodeProblem | RevertError:
    """Read the ``error`` of an answer.

    Parameters
    ----------
    source : str
        Which node.
    method : str
        What was asked.
    error : Any
        Whatever stood in the field.

    Returns
    -------
    NodeProblem or RevertError
        A revert keeps its name and values; one without data is named ``no data``.
    """
    if not isinstance(error, dict):
        return NodeProblem(source, f"{method}: {str(error)[:200]}", _kind_of(None, str(error)))
    data, code, text = error.get("data"), error.get("code"), str(error.get("message", error))[:500]
    if isinstance(data, str) and data.startswith("0x"):
        try:
            return decode_revert(method, data)
        # What a node calls revert data is anybody's bytes; whatever a decoder says of them, it is a revert.
        except Exception:
            return RevertError(method, data[:10])
    if code == REVERT_CODE or text.lower().startswith(REVERT_TEXT):
        return RevertError(method, "no data")
    return NodeProblem(source, f"{method}: {text}", _kind_of(code, text))
