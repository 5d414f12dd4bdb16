"""What the keeper counts, for Prometheus: one registry of its own, and labels that cannot grow without end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest
from prometheus_client.metrics import MetricWrapperBase

PREFIX: Final = "plimsoll"
#: Values of one label that come from outside; what comes after them is counted as ``other``.
MAX_LABEL_VALUES: Final = 64
MAX_LABEL_LENGTH: Final = 80
OTHER: Final = "other"
PASS_BUCKETS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
TICK_BUCKETS: Final = (0.05, 0.1, 0.15, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0)


class Metrics:
    """All metrics of one keeper.

    Attributes are metrics of prometheus_client: set, increase and observe them where things happen. Labels whose values
    come from a node, a feed or a signer go through :meth:`label`.

    Parameters
    ----------
    version : str
        Edition of the package.
    name : str
        ``keeper.name`` of the configuration.
    """

    def __init__(self, version: str, name: str) -> None:
        self.registry = CollectorRegistry()
        self._seen: dict[str, set[str]] = {}
        build = Info(f"{PREFIX}_build", "Edition of the package, and the keeper's name.", registry=self.registry)
        build.info({"version": version, "keeper": name})
        self.head_number = self._gauge("head_number", "Head that the endpoints agree on, block number.")
        self.head_age_sec = self._gauge("head_age_seconds", "Age of that head by its own time.")
        self.endpoint_up = self._gauge("endpoint_up", "1 when an endpoint answered last, else 0.", "endpoint")
        lag = "Blocks an endpoint is behind the best; NaN while it is silent."
        self.endpoint_lag = self._gauge("endpoint_lag_blocks", lag, "endpoint")
        self.disagreements = self._counter(
            "head_disagreements", "Times that endpoints had different blocks of a height."
        )
        self.index_number = self._gauge("index_number", "Last block in the index.")
        self.index_lag = self._gauge("index_lag_blocks", "Blocks from the index to the head.")
        self.events = self._counter("events", "Events read into the index.")
        self.reorganisations = self._counter("reorganisations", "Times that the index was rolled back.")
        self.verified = self._counter("verified_accounts", "Accounts compared with the chain's own view.")
        self.differences = self._counter("verification_differences", "Differences found by that, each repaired.")
        self.accounts = self._gauge("accounts", "Accounts that hold something.")
        self.overdue = self._gauge("overdue_liquidations", "Accounts below maintenance without an auction.")
        self.overdue_oldest_sec = self._gauge("overdue_liquidation_oldest_seconds", "How long the oldest has waited.")
        self.auctions = self._gauge("auctions_running", "Auctions that run.")
        self.margin_calls = self._gauge("margin_calls", "Accounts under a margin call.")
        self.round_age_sec = self._gauge("round_age_seconds", "Age of the latest round on chain.", "underlying")
        self.settlement_missing = self._gauge("settlement_missing", "Expired series without a price.", "underlying")
        self.unvalued = self._gauge("unvalued_accounts", "Accounts that neither mirror nor chain could value.")
        self.intents = self._counter("intents", "Intents by kind and outcome.", "kind", "outcome")
        self.open_transactions = self._gauge("open_transactions", "Sent and not final.", "signer")
        self.replacements = self._counter("replacements", "Transactions replaced at a higher fee.", "signer")
        self.spend_today_wei = self._gauge("spend_today_wei", "Fees of the last 24 hours.", "signer")
        self.spend_cap_wei = self._gauge("spend_cap_wei", "Most that may be spent in 24 hours.", "signer")
        self.balance_wei = self._gauge("balance_wei", "Balance of a signer.", "signer")
        self.failures = self._counter("failures", "Failures that something was left undone for.", "kind")
        self.pass_sec = self._histogram("pass_duration_seconds", "Length of one pass.", PASS_BUCKETS, "duty")
        self.tick_to_tx_sec = self._histogram(
            "tick_to_tx_seconds", "From the first sight of a new round to the first auction started.", TICK_BUCKETS
        )
        self.feed_rejections = self._counter("feed_rejections", "Quotes and rounds refused, by reason.", "reason")
        self.signer_refusals = self._counter("signer_refusals", "Refusals of signer services.", "signer", "reason")
        self.remote_waiting = self._gauge("remote_waiting", "Sums that wait to be carried between chains.", "way")
        lag = "Final blocks that the newest header known on the other side is behind."
        self.remote_header_lag = self._gauge("remote_header_lag_blocks", lag, "way")
        self.is_leader = self._gauge("is_leader", "1 while this keeper may send, else 0.")
        self.fencing_token = self._gauge("fencing_token", "Token of the last lease that this keeper held.")
        self.takeovers = self._counter("takeovers", "Times that this keeper took the lease from another.")
        self.lease_losses = self._counter("lease_losses", "Times that this keeper lost the lease.")
        self.is_healthy = self._gauge("is_healthy", "1 while /health says so.")
        self.is_ready = self._gauge("is_ready", "1 while /ready says so.")
        self.alerts_active = self._gauge("alerts_active", "Alerts that are not resolved.", "kind")
        self.alerts_sent = self._counter("alerts_sent", "Messages that a sink took.", "sink")
        self.alerts_lost = self._counter("alerts_lost", "Messages that a sink refused or its queue dropped.", "sink")

    def label(self, family: str, value: str) -> str:
        """Return a label value from outside, bounded in length and number.

        Parameters
        ----------
        family : str
            What the values belong to, such as ``feed_rejections``.
        value : str
            Text of a node, a feed or a signer.

        Returns
        -------
        str
            The text, or ``other`` when the family has too many already.
        """
        text = " ".join(value.split())[:MAX_LABEL_LENGTH]
        seen = self._seen.setdefault(family, set())
        if text not in seen and len(seen) >= MAX_LABEL_VALUES:
            return OTHER
        seen.add(text)
        return text

    def text(self) -> bytes:
        """Return all metrics in the format that Prometheus reads."""
        return generate_latest(self.registry)

    def names(self) -> Iterator[str]:
        """Yield the name of every time series, those of histograms and counters with their endings."""
        for metric in vars(self).values():
            if isinstance(metric, MetricWrapperBase):
                for family in metric.describe():
                    yield from _series(family.name, family.type)
        yield f"{PREFIX}_build_info"

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        return Gauge(f"{PREFIX}_{name}", meaning, labels, registry=self.registry)

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"{PREFIX}_{name}", meaning, labels, registry=self.registry)

    def _histogram(self, name: str, meaning: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"{PREFIX}_{name}", meaning, labels, registry=self.registry, buckets=buckets)


def _series(name: str, kind: str) -> tuple[str, ...]:
    """Return the series of one metric."""
    endings = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(kind, ("",))
    return tuple(name + ending for ending in endings)
