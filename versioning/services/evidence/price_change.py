"""What last month's requests would cost at the prices of another version."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from versioning.domain import pricing
from versioning.domain.pricing import PriceList, Unknown, Usage
from versioning.models import ModelVersion, PerformanceSample
from versioning.services import prices
from versioning.services.samples import rollups
from versioning.services.samples.rollup_sums import SampleSums

MONTH = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceChange:
    """The live requests of one version in the last 30 days, priced for two.

    ``before`` and ``after`` are USD, None where ``unknown`` says which price or count is missing.
    ``has_steps`` says that long requests have prices of their own, which sums can't tell apart and
    so are left out.
    """

    requests: int
    input_tokens: int
    output_tokens: int
    before: Decimal | None
    after: Decimal | None
    unknown: str
    has_steps: bool

    @property
    def relative(self) -> Decimal | None:
        """The change as a fraction; None where it is unknown, or where it cost nothing before."""
        if self.before is None or self.after is None or not self.before:
            return None
        return (self.after - self.before) / self.before


def of_last_month(
    *, from_version: ModelVersion, to_version: ModelVersion, now: datetime
) -> PriceChange | None:
    """Price the month's requests to one version at its prices and at another's.

    Both are taken to use as many tokens. None without requests that tell their tokens.
    """
    entries = rollups.read(version_ids=[from_version.pk], start=now - MONTH)
    sums = SampleSums.total(e.sums for e in entries if e.cell.source in PerformanceSample.LIVE)
    if not sums.input_tokens and not sums.output_tokens:
        return None
    usage = Usage(
        input=sums.input_tokens,
        output=sums.output_tokens,
        cached=sums.cached_tokens,
        cache_write=sums.cache_write_tokens,
        reasoning=sums.reasoning_tokens,
    ).whole()
    lists = [prices.list_of(version) for version in (from_version, to_version)]
    costs = [_cost(each, usage, requests=sums.samples) for each in lists]
    versions = (from_version, to_version)
    missing = [
        f"{version.label}: {cost.sentence}"
        for version, cost in zip(versions, costs, strict=True)
        if isinstance(cost, Unknown)
    ]
    before, after = (None if isinstance(cost, Unknown) else cost for cost in costs)
    return PriceChange(
        requests=sums.samples,
        input_tokens=usage.input or 0,
        output_tokens=usage.output or 0,
        before=before,
        after=after,
        unknown=" ".join(missing),
        has_steps=any(price.above for each in lists for price in each.prices),
    )


def _cost(found: PriceList, usage: Usage, *, requests: int) -> Decimal | Unknown:
    """Return what all of it costs in USD, at the prices of short requests."""
    plain = pricing.PriceList(tuple(price for price in found.prices if not price.above))
    whole, fee = plain.cost(usage), plain.cost(Usage(input=0, output=0))
    if isinstance(whole, Unknown) or isinstance(fee, Unknown):
        return whole
    return whole + fee * (requests - 1)
