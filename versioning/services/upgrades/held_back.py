"""Newer versions that aren't in use, and why: read from what is stored, nothing is asked anew."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import Case, OuterRef, Q, QuerySet, Subquery, Value, When

from versioning.domain.memory import sentence
from versioning.domain.policy import Clearance
from versioning.domain.transitions import State
from versioning.models import (
    ModelVersion,
    PassedOver,
    TrackedModel,
    UpgradeRecord,
    UpgradeStep,
    WakeRule,
)
from versioning.services import teams
from versioning.services.teams import Caller
from versioning.services.upgrades import policies


class Why(StrEnum):
    """Why a newer version isn't in use; those that nobody is asked about come first."""

    REFUSED = "refused"
    """It is listed, and the provider refused it when it was asked directly."""
    FAILED = "failed"
    ABORTED = "aborted"
    ROLLED_BACK = "rolled_back"
    REJECTED = "rejected"
    SNOOZED = "snoozed"
    MAYBE = "maybe"
    WAITS = "waits"
    """It is offered, and waits for a person or for its policy."""
    PREVIEWS = "previews"
    """Lineage would offer it, and previews are not allowed for this model."""
    LOOK_ALIKE = "look_alike"
    """Nothing tells it from the version in use but its name."""
    STAFF_RULE = "staff_rule"
    """A rule of staff's keeps it out."""


PASSED_OVER = frozenset({Why.PREVIEWS, Why.LOOK_ALIKE, Why.STAFF_RULE})
"""Nothing is written down of these but that lineage passed them over: no record is theirs."""

ASKED = frozenset({Why.MAYBE, Why.WAITS})
"""A person is asked about these: the inbox has them already."""

_STATES: Mapping[Why, Q] = {
    Why.REFUSED: Q(state=State.SUPERSEDED.value, to_version__answers="refused"),
    Why.FAILED: Q(state=State.FAILED.value),
    Why.ABORTED: Q(state=State.ABORTED.value),
    Why.ROLLED_BACK: Q(state=State.COMPLETED.value, origin=UpgradeRecord.Origin.ROLLBACK.value),
    Why.REJECTED: Q(state=State.REJECTED.value),
    Why.SNOOZED: Q(state=State.SNOOZED.value),
    Why.MAYBE: Q(state=State.RECOMMENDED.value, step=UpgradeRecord.Step.MAYBE.value),
    Why.WAITS: Q(state=State.RECOMMENDED.value),
}
# Said for itself: most records are in another state, and need no look at their versions.
_HOLDING = (
    State.SUPERSEDED,
    State.FAILED,
    State.ABORTED,
    State.COMPLETED,
    State.REJECTED,
    State.SNOOZED,
    State.RECOMMENDED,
)
_ORDER = {why: number for number, why in enumerate(Why)}


@dataclass(frozen=True, slots=True)
class Found:
    """What is held back, as ids in the order of the reasons: of records, or of what lineage passed
    over, as the reason says."""

    ids: Sequence[tuple[int, Why]]

    @property
    def counts(self) -> Counter[Why]:
        return Counter(why for _, why in self.ids)

    def only(self, wanted: Collection[Why]) -> "Found":
        return Found([(pk, why) for pk, why in self.ids if why in wanted])


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldVersion:
    """One newer version that isn't in use.

    ``step`` is the last word on it, None where nobody said one; ``wakes`` says when a rejected one
    is offered again, empty where no rule is kept; ``stops`` is the policy's word on what waits.
    """

    record: UpgradeRecord
    why: Why
    step: UpgradeStep | None
    wakes: str
    stops: Clearance | None

    @property
    def version(self) -> ModelVersion:
        """The newer version: that of a rollback is the one which it left."""
        left = self.record.from_version if self.why is Why.ROLLED_BACK else None
        return left or self.record.to_version

    @property
    def tracked_model(self) -> TrackedModel:
        return self.record.tracked_model

    @property
    def upstream_id(self) -> str:
        return self.version.upstream_id

    @property
    def since(self) -> datetime:
        return self.record.changed_at

    @property
    def quoted(self) -> str:
        """What was said when it was held back, word for word; empty where nothing was."""
        if self.why is Why.REFUSED:
            return self.version.answers_why
        if self.why is Why.MAYBE:
            return self.record.doubt
        if self.why is Why.WAITS:
            return self.stops.waits_for if self.stops else ""
        return self.step.reason if self.step else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldId:
    """One listed id that lineage passed over for one thing alone: no version stands for it yet."""

    row: PassedOver
    why: Why
    record: None = None
    version: None = None
    step: None = None
    wakes: str = ""

    @property
    def tracked_model(self) -> TrackedModel:
        return self.row.tracked_model

    @property
    def upstream_id(self) -> str:
        return self.row.upstream_id

    @property
    def since(self) -> datetime:
        return self.row.since

    @property
    def quoted(self) -> str:
        return self.row.why


def find(*, provider_slug: str = "", owner: str = "", caller: Caller | None = None) -> Found:
    """Find what is held back of each active model, of one provider or owner where that is named, as
    far as the caller sees.

    A model's last record tells, all that are snoozed do, and what lineage passed over at the last
    look. Three queries, however much there is.
    """
    models = teams.visible(TrackedModel.objects.active(), caller)
    if provider_slug:
        models = models.filter(provider__slug=provider_slug)
    if owner:
        models = models.filter(owner__iexact=owner)
    records = UpgradeRecord.objects.order_by("-changed_at", "-pk")
    last = records.filter(tracked_model=OuterRef("pk")).values("pk")[:1]
    # Distinct, though no two have the same: PostgreSQL would look for each one's last twice.
    latest = models.annotate(last=Subquery(last)).values("last").distinct()
    held = UpgradeRecord.objects.filter(pk__in=latest, state__in=_HOLDING)
    found = {pk: Why(why) for pk, why in _with_reason(held)}
    snoozed = UpgradeRecord.objects.filter(state=State.SNOOZED, tracked_model__in=models)
    found |= dict.fromkeys(snoozed.values_list("pk", flat=True), Why.SNOOZED)
    passed = PassedOver.objects.filter(tracked_model__in=models).values_list("pk", "by")
    ids = [*found.items(), *((pk, Why(by)) for pk, by in passed)]
    return Found(sorted(ids, key=lambda each: (_ORDER[each[1]], -each[0])))


def read(found: Sequence[tuple[int, Why]], *, now: datetime) -> list[HeldVersion | HeldId]:
    """Read some of what was found, in the same order; as many queries for any number."""
    of_records = {pk for pk, why in found if why not in PASSED_OVER}
    records = {
        record.pk: record
        for record in UpgradeRecord.objects.with_versions()
        .select_related("wake_rule")
        .filter(pk__in=of_records)
    }
    steps: dict[int, UpgradeStep] = {}
    for step in UpgradeStep.objects.filter(record__in=records).order_by("at", "pk"):
        steps[step.record_id] = step
    stops = policies.what_stops([records[pk] for pk, why in found if why is Why.WAITS], now=now)
    passed = PassedOver.objects.select_related("tracked_model__provider").in_bulk(
        [pk for pk, why in found if why in PASSED_OVER]
    )
    return [
        HeldId(row=passed[pk], why=why)
        if why in PASSED_OVER
        else HeldVersion(
            record=records[pk],
            why=why,
            step=steps.get(pk),
            wakes=_wakes(records[pk]) if why is Why.REJECTED else "",
            stops=stops.get(pk),
        )
        for pk, why in found
        if pk in (passed if why in PASSED_OVER else records)
    ]


def _with_reason(records: QuerySet[UpgradeRecord]) -> QuerySet[UpgradeRecord, tuple[int, str]]:
    """Return ids with reasons, without those that hold nothing newer back, or what is gone."""
    gone = Q(to_version__gone_at__isnull=False) & ~_STATES[Why.ROLLED_BACK]
    gone |= Q(from_version__gone_at__isnull=False) & _STATES[Why.ROLLED_BACK]
    cases = [When(state, then=Value(why.value)) for why, state in _STATES.items()]
    why = Case(When(gone, then=Value(None)), *cases, default=Value(None))
    return records.annotate(why=why).exclude(why=None).values_list("pk", "why")


def _wakes(record: UpgradeRecord) -> str:
    rule: WakeRule | None = getattr(record, "wake_rule", None)
    return sentence(rule.wake) if rule else ""
