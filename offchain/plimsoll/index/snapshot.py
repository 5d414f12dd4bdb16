"""The whole state of all accounts from a node, page by page: what 100,000 accounts take a second for."""

from __future__ import annotations

import asyncio
from typing import Final

from plimsoll.chain.abi import decode_values, load_artifact
from plimsoll.chain.head import Head, data_of, read_header
from plimsoll.chain.node import Node, Request
from plimsoll.chain.problem import NodeProblem
from plimsoll.chain.revert import RevertError
from plimsoll.deployment.record import Deployment
from plimsoll.index.columns import Columns
from plimsoll.index.pages import Page, columns_of_pages, decode_page, page_call

#: Accounts in one call at first: with 20 positions each far below the gas that nodes give a call.
PAGE_ACCOUNTS: Final = 250
#: Calls in one HTTP body, and bodies at a time.
PAGES_AT_ONCE: Final = 8
BODIES_AT_ONCE: Final = 2


def call_request(to: str, data: str, number: int) -> Request:
    """Return the request for a view at a block.

    Parameters
    ----------
    to : str
        Contract.
    data : str
        Call data, hexadecimal.
    number : int
        Block.

    Returns
    -------
    tuple
        Method and parameters.
    """
    return ("eth_call", [{"to": to, "data": data}, hex(number)])


def bytes_of(node: Node, answer: object) -> bytes:
    """Read the answer to a call.

    Parameters
    ----------
    node : Node
        Which node, for the message.
    answer : object
        Result, or the problem that stands for it.

    Returns
    -------
    bytes
        Return data.

    Raises
    ------
    NodeProblem
        When there is none.
    RevertError
        When the view reverted.
    """
    if isinstance(answer, NodeProblem | RevertError):
        raise answer
    try:
        return data_of(answer)
    except ValueError as reason:
        raise NodeProblem(node.url, f"eth_call: {reason}", "malformed") from reason


async def read_page(node: Node, lens: str, number: int, first: int, count: int) -> list[Page]:
    """Read consecutive accounts, in smaller pages where the node does not give a call so much gas.

    Parameters
    ----------
    node : Node
        Which node.
    lens : str
        Address of Lens.
    number : int
        Block.
    first : int
        First id.
    count : int
        Most accounts.

    Returns
    -------
    list[Page]
        In order.

    Raises
    ------
    NodeProblem
        When the node fails, or sends what is no page.
    RevertError
        When not even one account can be read.
    """
    (answer,) = await node.batch([call_request(lens, page_call(first, count), number)])
    is_too_much = isinstance(answer, RevertError | NodeProblem) and getattr(answer, "kind", "refused") in (
        "refused",
        "limit",
    )
    if is_too_much and count > 1:
        half = count // 2
        below = await read_page(node, lens, number, first, half)
        # The last page ends where accounts do, and one behind it does not exist.
        return (
            below if below[-1].count < half else below + await read_page(node, lens, number, first + half, count - half)
        )
    return [page_of(node, answer, first)]


def page_of(node: Node, answer: object, first: int) -> Page:
    """Read the answer to one page.

    Parameters
    ----------
    node : Node
        Which node.
    answer : object
        Result, or the problem that stands for it.
    first : int
        First id that was asked for.

    Returns
    -------
    Page
        Decoded.

    Raises
    ------
    NodeProblem
        When it is none.
    RevertError
        When the view reverted.
    """
    try:
        return decode_page(bytes_of(node, answer), first)
    except ValueError as reason:
        raise NodeProblem(node.url, f"sent no page of accounts ({reason})", "malformed") from reason


async def read_accounts(node: Node, deployment: Deployment, head: Head) -> Columns:
    """Read every account at one block.

    Parameters
    ----------
    node : Node
        A node that has shown the block.
    deployment : Deployment
        With its Lens.
    head : Head
        The block.

    Returns
    -------
    Columns
        All open accounts.

    Raises
    ------
    NodeProblem
        When the node fails, or is no longer at the block when it is done.
    """
    lens = deployment.contracts["Lens"]
    function = load_artifact("Accounts").functions["nextAccountId"]
    request = call_request(deployment.contracts["Accounts"], "0x" + function.selector.hex(), head.number)
    (answer,) = await node.batch([request])
    end = int(decode_values(function.outputs, bytes_of(node, answer)))
    gate = asyncio.Semaphore(BODIES_AT_ONCE)

    async def body(firsts: range) -> list[Page]:
        requests = [call_request(lens, page_call(first, PAGE_ACCOUNTS), head.number) for first in firsts]
        async with gate:
            answers = await node.batch(requests)
            pages: list[Page] = []
            for first, answer in zip(firsts, answers, strict=True):
                if isinstance(answer, RevertError | NodeProblem):
                    pages += await read_page(node, lens, head.number, first, PAGE_ACCOUNTS)
                else:
                    pages.append(page_of(node, answer, first))
            return pages

    step = PAGE_ACCOUNTS * PAGES_AT_ONCE
    parts = [range(first, min(first + step, end), PAGE_ACCOUNTS) for first in range(0, end, step)]
    found = await asyncio.gather(*(body(part) for part in parts))
    last = await node.rpc("eth_getBlockByNumber", hex(head.number), False)
    if read_header(node.url, last, head.number).hash != head.hash:
        raise NodeProblem(node.url, f"no longer has block {head.number} {head.hash}", "malformed")
    return columns_of_pages([page for pages in found for page in pages])
