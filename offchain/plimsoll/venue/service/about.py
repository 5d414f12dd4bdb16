"""What a page needs before it can sign: chain, contracts, tokens, typed data, fees and bounds."""

from __future__ import annotations

from plimsoll.client.schema.orders import MAX_BATCH
from plimsoll.client.schema.service import ConfigView, FeesView, Limits, TokenView
from plimsoll.deployment.record import Deployment
from plimsoll.errors import PlimsollError
from plimsoll.keeper.calls import Question
from plimsoll.venue.chain.digests import Typed
from plimsoll.venue.chain.world import World
from plimsoll.venue.config import VenueConfig


class About:
    """Tells of the deployment.

    Parameters
    ----------
    config : VenueConfig
        Bounds.
    deployment : Deployment
        Addresses.
    world : World
        Fees and reads.
    settler : str
        Key that sends settlements.
    """

    def __init__(self, config: VenueConfig, deployment: Deployment, world: World, settler: str) -> None:
        self._config, self._deployment, self._world, self._settler = config, deployment, world, settler
        self._typed = {
            name: Typed(deployment, contract, function).view()
            for name, contract, function in (
                ("order", "Exchange", "settle"),
                ("quote", "Exchange", "fillQuote"),
                ("deltaIntent", "Intents", "fillDelta"),
                ("closeIntent", "Intents", "fillClose"),
            )
        }

    async def view(self, epoch: str) -> ConfigView:
        """Return all of it.

        Parameters
        ----------
        epoch : str
            Of the stream.
        """
        fees, deployment = self._world.fees, self._deployment
        return ConfigView(
            chainId=deployment.chain_id,
            network=deployment.network,
            rpcUrl=self._config.venue.public_rpc,
            contracts=dict(deployment.contracts),
            firstBlock=deployment.block,
            tokens=await self._tokens(),
            underlyings=dict(deployment.underlyings),
            settler=self._settler,
            fees=FeesView(
                makerLinearWad=fees.makerLinearWad,
                takerLinearWad=fees.takerLinearWad,
                makerOptionWad=fees.makerOptionWad,
                takerOptionWad=fees.takerOptionWad,
            ),
            limits=self._limits(),
            epoch=epoch,
            **self._typed,
        )

    async def _tokens(self) -> list[TokenView]:
        """Return tokens on the terms that the book has now."""
        tokens = sorted(self._deployment.tokens.items(), key=lambda entry: entry[1].token_id)
        answers = await self._world.reads.ask(
            [Question("ScenarioBook", "collateralOf", (record.token_id,)) for _, record in tokens]
        )
        found = []
        for (symbol, record), terms in zip(tokens, answers, strict=True):
            if isinstance(terms, PlimsollError):
                raise terms
            found.append(
                TokenView(
                    tokenId=record.token_id,
                    symbol=symbol,
                    address=record.address,
                    decimals=record.decimals,
                    haircutWad=terms.haircutWad,
                    linkedUnderlyingId=terms.linkedUnderlying,
                    linkedHaircutWad=terms.linkedHaircutWad,
                )
            )
        return found

    def _limits(self) -> Limits:
        limits, book = self._config.limits, self._config.book
        return Limits(
            ordersPerSec=limits.orders_per_sec,
            burstOrders=limits.burst_orders,
            requestsPerSec=limits.requests_per_sec,
            burstRequests=limits.burst_requests,
            maxOpenOrders=book.max_open_orders,
            maxBatch=MAX_BATCH,
            maxBodyBytes=limits.max_body_bytes,
            minLifeSec=book.min_life_sec,
            quantityStepWad=book.quantity_step_wad,
            optionPriceStepWad=book.option_price_step_wad,
            linearPriceStepWad=book.linear_price_step_wad,
        )
