"""Arrays that begin at a line of the cache: a row of eight numbers is then one line, and not parts of two."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

#: Bytes of a line, and of the widest vector register.
LINE: Final = 64


def aligned_zeros(shape: int | tuple[int, ...]) -> npt.NDArray[np.float64]:
    """Return zeros whose first number stands at the beginning of a cache line.

    numpy aligns to 16 bytes, so that a vector of 64 bytes is read from two lines each time.

    Parameters
    ----------
    shape : int or tuple of int

    Returns
    -------
    ndarray of float64
        In C order, a view of an array that is a few numbers longer.
    """
    size = int(np.prod(shape))
    whole = np.zeros(size + LINE // 8)
    first = -whole.ctypes.data % LINE // 8
    return whole[first : first + size].reshape(shape)
