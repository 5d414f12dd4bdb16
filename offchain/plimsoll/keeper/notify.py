"""What systemd is told: that the keeper is up, that it makes progress, that it stops."""

from __future__ import annotations

import contextlib
import os
import socket


def tell_systemd(*states: str) -> bool:
    """Send states to the service manager that started this process, if one did.

    Parameters
    ----------
    *states : str
        ``READY=1``, ``WATCHDOG=1``, ``STOPPING=1``, or ``STATUS=`` with a text.

    Returns
    -------
    bool
        Whether it was sent.
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return False
    # An address that begins with @ names a socket that is in no folder.
    path = "\0" + address[1:] if address.startswith("@") else address
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
        out.setblocking(False)
        out.sendto("\n".join(states).encode(), path)
        return True
    return False
