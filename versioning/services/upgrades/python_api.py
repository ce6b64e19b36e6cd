"""The three uses from Python: is there an upgrade, what is recommended, upgrade by itself."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from providers import calls
from versioning.domain.evidence import read
from versioning.domain.policy import Asker, MoveStage, Rule, decide
from versioning.domain.transitions import State
from versioning.models import Canary, TrackedModel, UpgradeRecord
from versioning.models.upgrades import Standing
from versioning.services import clock, serving, sweeps, teams
from versioning.services.actors import Actor
from versioning.services.errors import Busy, Invalid, ServiceError
from versioning.services.upgrades import briefing, decisions, policies, recommendation, way_back

DEFAULT_IMPROVEMENT = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class UpgradeCheck:
    """Whether a tracked model has an upgrade, and what it would bring."""

    has_upgrade: bool
    from_version: str
    to_version: str | None
    upstream_id: str | None
    improvements: tuple[str, ...]
    breaking_changes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One waiting recommendation: whether the evidence speaks for it, and why.

    ``rests_on`` and ``missing`` name the legs of the evidence, live samples and tests. ``unasked``
    says that the provider was not asked for the new version directly yet.
    """

    record_id: int
    provider: str
    model: str
    from_version: str
    to_version: str
    recommended: bool
    improvement: Decimal | None
    why: str
    rests_on: tuple[str, ...]
    missing: tuple[str, ...]
    unasked: bool


@dataclass(frozen=True, slots=True)
class UpgradeResult:
    """What came of asking for an upgrade; ``waits_for`` says why nothing moved."""

    upgraded: bool
    version: str
    record_id: int | None
    waits_for: str


def check_for_upgrade(*, provider: str, model: str, now: datetime | None = None) -> UpgradeCheck:
    """Say whether a tracked model has an upgrade that waits. Raises NotFound."""
    tracked = serving.tracked_model(provider=provider, name=model)
    record = _waiting_record(tracked.pk)
    current = tracked.current_version
    return UpgradeCheck(
        has_upgrade=record is not None,
        from_version=current.label if current else "",
        to_version=record.to_version.label if record else None,
        upstream_id=record.to_version.upstream_id if record else None,
        improvements=tuple(record.to_version.improvements) if record else (),
        breaking_changes=tuple(record.to_version.breaking_changes) if record else (),
    )


def standing(*, tracked: TrackedModel) -> Standing:
    """Say whether a tracked model has an upgrade that waits, from which version to which."""
    record = _waiting_record(tracked.pk)
    label = _label(tracked)
    return record.standing if record else Standing(current_version=label, latest_version=label)


def list_recommendations(*, now: datetime | None = None) -> list[Recommendation]:
    """Return what waits for a decision, urgent ones first, each with what its evidence says."""
    return [
        Recommendation(
            record_id=record.pk,
            provider=record.tracked_model.provider.slug,
            model=record.tracked_model.name,
            from_version=record.from_version.label if record.from_version else "",
            to_version=record.to_version.label,
            recommended=record.standing.recommended,
            improvement=_improvement(record),
            why=read(record.evidence).sentence or " ".join(record.reasons),
            rests_on=read(record.evidence).rests_on or (),
            missing=read(record.evidence).missing or (),
            unasked=briefing.is_unasked(record),
        )
        for record in recommendation.open_recommendations()
    ]


def auto_upgrade(
    *,
    provider: str,
    model: str,
    min_quality_improvement: Decimal | float | str = DEFAULT_IMPROVEMENT,
    actor: Actor | None = None,
    now: datetime | None = None,
) -> UpgradeResult:
    """Upgrade if the evidence shows at least this improvement of quality, a fraction.

    0.1 means 10 % better than the current version's mean; exactly 10 % is enough.
    Raises NotFound and Invalid (not a number from 0 to 10).
    """
    now = now or clock.now()
    least = read_fraction(min_quality_improvement)
    tracked = serving.tracked_model(provider=provider, name=model)
    record = _waiting_record(tracked.pk)
    if record is None:
        return _nothing_waits(tracked)
    label = _label(tracked)
    reason = why_not_by_itself(record=record, now=now, asked_by=Asker.CLIENT, least=least)
    if reason:
        return UpgradeResult(False, label, record.pk, reason)
    try:
        moved = decisions.approve(
            record_id=record.pk,
            actor=actor or Actor.scheduler(),
            now=now,
            reason=f"Upgraded by itself: at least {least:.0%} better is asked for.",
        )
    except ServiceError as error:
        return UpgradeResult(False, label, record.pk, str(error))
    if moved.state != State.COMPLETED:
        return UpgradeResult(False, label, moved.pk, _stop_of(moved))
    return UpgradeResult(True, moved.to_version.label, moved.pk, "")


def upgrade_by_policy(*, now: datetime) -> list[UpgradeRecord]:
    """Approve what its policy lets go by itself now; return the records that went.

    Each in a transaction of its own; one that somebody else moved first is left alone. Before,
    its provider is asked whether the way back is open.
    """
    gone: list[UpgradeRecord] = []
    waiting = list(recommendation.open_recommendations())
    sweeps.each(
        policies.that_may_go(waiting, now=now),
        lambda record: gone.extend(_gone_by_policy(record, now=now)),
        subject=lambda record: f"{teams.upgrade_for_all(record)} by its policy",
        now=now,
    )
    return gone


def _gone_by_policy(record: UpgradeRecord, *, now: datetime) -> list[UpgradeRecord]:
    """Approve a record if nothing stops it; return it then, else nothing."""
    if why_not_by_itself(record=record, now=now, asked_by=Asker.POLICY):
        return []
    if not _way_back_is_open(record, now=now):
        return []
    try:
        moved = decisions.approve(
            record_id=record.pk,
            actor=Actor.scheduler(),
            now=now,
            reason="Its policy lets it go by itself.",
            evidence_hash=record.evidence_hash,
        )
    except ServiceError:
        return []  # it is asked again at the next sweep
    return [moved]


def _way_back_is_open(record: UpgradeRecord, *, now: datetime) -> bool:
    resolved = policies.resolve(tracked=record.tracked_model)
    try:
        with calls.slot():  # a thread of the web server may wait for this
            back = way_back.verify(
                version=record.from_version,
                fallback=resolved.fallback,
                policy=resolved.policy,
                now=now,
            )
    except calls.NoRoom as error:
        raise Busy(str(error)) from error
    way_back.update_notice(record=record, back=back, now=now)
    return back.is_open


def preview_upgrade(
    *, provider: str, model: str, min_quality_improvement: Decimal | float | str, now: datetime
) -> UpgradeResult:
    """Say what auto_upgrade would do now, and change nothing. Raises as auto_upgrade does."""
    least = read_fraction(min_quality_improvement)
    tracked = serving.tracked_model(provider=provider, name=model)
    record = _waiting_record(tracked.pk)
    if record is None:
        return _nothing_waits(tracked)
    label = _label(tracked)
    reason = why_not_by_itself(record=record, now=now, asked_by=Asker.CLIENT, least=least)
    ready = f"Nothing: it would move to {record.to_version.label} now, if it were asked to."
    return UpgradeResult(False, label, record.pk, reason or ready)


def read_fraction(value: Decimal | float | str) -> Decimal:
    """Return a fraction from 0 to 10 exactly as written. Raises Invalid."""
    try:
        fraction = Decimal(str(value))
    except ArithmeticError as error:
        raise Invalid("min_quality_improvement must be a number such as 0.1.") from error
    if not fraction.is_finite() or not 0 <= fraction <= 10:
        raise Invalid("min_quality_improvement must be from 0 to 10; 0.1 means 10 %.")
    return fraction


def _waiting_record(tracked_model_id: int) -> UpgradeRecord | None:
    waiting = recommendation.open_recommendations().filter(tracked_model_id=tracked_model_id)
    return waiting.order_by("-pk").first()


def _improvement(record: UpgradeRecord) -> Decimal | None:
    return read(record.evidence).improvement


def why_not_by_itself(
    *, record: UpgradeRecord, now: datetime, asked_by: Asker, least: Decimal | None = None
) -> str:
    """Return the first thing that keeps a record from going by itself now; empty if nothing does.

    ``least`` is the improvement that a client asks for; a policy that asks for more wins.
    """
    if record.from_version is None:
        return "There is no version in use to compare with."
    resolved = policies.resolve(tracked=record.tracked_model)
    asked = resolved.policy.minimum_improvement
    if least is not None:
        asked = max(least, asked) if "minimum_improvement" in resolved.set_by else least
    shown = policies.evidence_to_begin(record=record, resolved=resolved, least=asked, now=now)
    facts = policies.facts(
        record=record,
        resolved=resolved,
        stage=MoveStage.BEGIN,
        asked_by=asked_by,
        shown=shown,
        now=now,
    )
    decision = decide(facts=facts, policy=resolved.policy, now=clock.local(now))
    if decision.reasons and decision.reasons[0].rule is Rule.EVIDENCE:
        return f"{decision.waits_for.rstrip('.')}. At least {asked:.0%} better is asked for."
    return decision.waits_for


def _nothing_waits(tracked: TrackedModel) -> UpgradeResult:
    """Say what is under way, or that there is nothing newer."""
    record = UpgradeRecord.objects.under_way().filter(tracked_model=tracked).first()
    if record is None:
        return UpgradeResult(False, _label(tracked), None, "No newer version is recommended.")
    return UpgradeResult(False, _label(tracked), record.pk, _stop_of(record))


def _stop_of(record: UpgradeRecord) -> str:
    """Say at which stop a record is and what it waits for."""
    found = Canary.objects.filter(record=record).first()
    if record.state == State.CANARY and found is not None:
        return f"It is a canary with {found.weight:.0%} of the keys. {found.says}".strip()
    if record.state == State.TESTING:
        return "Its tests run."
    if record.state == State.APPROVED:
        return way_back.waits_for(record)
    return f"It is {record.get_state_display()}: other approvals are missing."


def _label(tracked: TrackedModel) -> str:
    return tracked.current_version.label if tracked.current_version else ""
