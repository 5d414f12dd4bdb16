"""How numeric kernels are compiled: one place, so that every kernel has the same arithmetic and the same cache."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, ParamSpec, TypeVar

import numba

P = ParamSpec("P")
R = TypeVar("R")

#: A product and a sum may become one fused operation, and zero has no sign; nothing is reordered, so that a result
#: depends neither on the number of threads nor on how accounts are divided among machines.
FUSED: Final = {"contract", "nsz"}
#: ``_nrt`` is what counts references, see :func:`compiled`.
_OPTIONS: Final[dict[str, Any]] = {
    "fastmath": FUSED,
    "error_model": "numpy",
    "nogil": True,
    "cache": True,
    "_nrt": False,
}


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a kernel on its first call; the machine code is kept in numba's cache beside the file or the user's.

    The cache follows the file of the kernel alone: a kernel never calls one of another file. It allocates nothing
    either, and numba refuses one that does: its callers hand it all the memory it needs. So nobody has to count the
    references to an array, which takes an atomic operation for each part of one that a kernel looks at, and took four
    fifths of the time of the margins.

    Parameters
    ----------
    function : callable
        Of arrays and numbers; it holds no lock while it runs.

    Returns
    -------
    callable
    """
    kernel: Callable[P, R] = numba.njit(**_OPTIONS)(function)
    return kernel


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a part of a kernel into each place that calls it, so that the loop around it can use vectors."""
    kernel: Callable[P, R] = numba.njit(**_OPTIONS, inline="always")(function)
    return kernel
