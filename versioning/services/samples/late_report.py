"""What is told of a request apart from its sample: later, or before it."""

from dataclasses import dataclass

from versioning.domain.signals import Scored, Signals, completed, merged, pack
from versioning.services import sample_settings
from versioning.services.samples.batch import packed
from versioning.services.samples.incoming import ScoreIn


@dataclass(frozen=True, slots=True)
class LateReport:
    """A score, signals, or both. `signals` are packed, without those that need the sample."""

    quality: float | None
    signals: int
    latency_budget_ms: float | None

    @classmethod
    def of(cls, item: ScoreIn) -> "LateReport | None":
        """Return what the item says; None where it says nothing that could make a score."""
        told = item.signals
        signals = 0 if told is None else packed(told, latency_ms=None)
        budget = None if told is None else told.latency_budget_ms
        if item.quality is None and not signals and budget is None:
            return None
        return cls(item.quality, signals, budget)

    def and_then(self, newer: "LateReport") -> "LateReport":
        """Return both together; of what both say the newer counts."""
        return LateReport(
            self.quality if newer.quality is None else newer.quality,
            merged(self.signals, newer.signals),
            self.latency_budget_ms if newer.latency_budget_ms is None else newer.latency_budget_ms,
        )

    def on(self, sample: Scored, *, latency_ms: float | None, failed: bool) -> Scored:
        """Return what the sample says once it is completed by this."""
        within = Signals(latency_ms=latency_ms, latency_budget_ms=self.latency_budget_ms)
        return completed(
            sample,
            quality=self.quality,
            signals=merged(self.signals, pack(within)),
            failed=failed,
            weights=sample_settings.signal_weights(),
        )
