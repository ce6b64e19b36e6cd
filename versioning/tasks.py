"""Celery tasks: one line of work each. The tables are the queues; a lost message only delays."""

from celery import shared_task

from versioning.services import clock, digests, events, idempotency, outbox, seals, sweeps
from versioning.services.checks import detection, schedules, target_probes
from versioning.services.evaluation import running
from versioning.services.evidence import drift
from versioning.services.samples import (
    attachment,
    late_scores,
    retention,
    rollups,
    sighting_events,
    trace_deduplication,
)
from versioning.services.upgrades import (
    emergencies,
    looks,
    python_api,
    recommendation,
    renewal,
    retirement,
    rollout,
)


@shared_task(name="versioning.check_due_providers")
def check_due_providers() -> int:
    """Ask the providers whose scheduled check is due; runs daily at 02:00 and catches up.

    So it does with the checks that no worker has.
    """
    now = clock.now()
    return sweeps.in_turn(
        ("Begun checks", lambda: len(detection.take_up(now=now))),
        ("Scheduled checks", lambda: len(schedules.run_due_checks(now=now))),
        now=now,
    )


@shared_task(name="versioning.check_providers")
def check_providers(*, trigger: str, asked_by: str = "") -> int:
    """Ask all enabled providers now."""
    return len(detection.run_checks(trigger=trigger, asked_by=asked_by, now=clock.now()))


@shared_task(name="versioning.check_provider")
def check_provider(*, provider_slug: str, trigger: str, asked_by: str = "") -> int:
    """Ask one provider now."""
    checks = detection.run_checks(
        provider_slugs=[provider_slug], trigger=trigger, asked_by=asked_by, now=clock.now()
    )
    return len(checks)


@shared_task(name="versioning.run_begun_checks")
def run_begun_checks(*, check_ids: list[int]) -> int:
    """Ask the providers of checks that the API has begun."""
    return len(detection.run_begun(check_ids=check_ids, now=clock.now()))


@shared_task(name="versioning.take_up_checks")
def take_up_checks() -> int:
    """Ask the providers of checks that no worker has: one died, or a message was lost."""
    now = clock.now()
    return sweeps.in_turn(("Begun checks", lambda: len(detection.take_up(now=now))), now=now)


@shared_task(name="versioning.wake_snoozed")
def wake_snoozed() -> int:
    """Bring back recommendations whose snooze is over."""
    now = clock.now()
    return sweeps.in_turn(
        ("Waking what was snoozed", lambda: rollout.wake_snoozed(now=now)), now=now
    )


@shared_task(name="versioning.look_again")
def look_again() -> int:
    """Renew the evidence of what waits, where it says something else by now."""
    now = clock.now()
    return sweeps.in_turn(("Evidence of what waits", lambda: renewal.renew_all(now=now)), now=now)


@shared_task(name="versioning.carry_on")
def carry_on() -> int:
    """Let go what policies let go by themselves; look at tests, canaries and watched moves.

    First what is recommended and nobody asked for yet is asked for.
    """
    now = clock.now()
    return sweeps.in_turn(
        ("Asking for targets", lambda: target_probes.probe_waiting(now=now)),
        ("Upgrades by policy", lambda: len(python_api.upgrade_by_policy(now=now))),
        ("Upgrades under way", lambda: rollout.carry_on(now=now)),
        ("Ends of emergencies", lambda: emergencies.end_due(now=now)),
        now=now,
    )


@shared_task(name="versioning.run_evaluations")
def run_evaluations() -> int:
    """Carry out the evaluation runs that nobody has; a dead worker's are taken over.

    What a run showed then shows at once where it is waited for.
    """
    began = clock.now()
    taken = sweeps.in_turn(("Evaluation runs", running.carry_out_open_runs), now=began)
    if not taken:
        return 0
    now = clock.now()
    sweeps.in_turn(
        (
            "Evidence of what was tested",
            lambda: recommendation.refresh_tested(since=began, now=now),
        ),
        ("Upgrades under way", lambda: rollout.carry_on(now=now)),
        now=now,
    )
    return taken


@shared_task(name="versioning.fold_samples")
def fold_samples() -> int:
    """Add what came in to the roll-ups, and late scores and newly tracked models with it."""
    now = clock.now()
    return sweeps.in_turn(
        ("Late scores", late_scores.sweep_pending),
        ("Samples of models tracked since", lambda: attachment.attach(now=now)),
        ("Traces seen once", lambda: trace_deduplication.forget_old(now=now)),
        ("Sums of samples", lambda: rollups.fold(now=now)),
        ("Events of samples", lambda: sighting_events.write(now=now)),
        now=now,
    )


@shared_task(name="versioning.tidy_samples")
def tidy_samples() -> int:
    """Fold old hours into days and drop samples and looks that were kept long enough."""
    now = clock.now()
    return sweeps.in_turn(
        ("Sums of days", lambda: rollups.fold_days(now=now)),
        ("Old samples", lambda: retention.drop_old_samples(now=now)),
        ("Old looks without news", lambda: looks.drop_old(now=now)),
        now=now,
    )


@shared_task(name="versioning.find_drift")
def find_drift() -> int:
    """Look for versions that behave otherwise although their name did not change."""
    now = clock.now()
    return sweeps.in_turn(("Looking for drift", lambda: drift.find_drift(now=now)), now=now)


@shared_task(name="versioning.remind")
def remind() -> int:
    """Write the reminders of retirements and the digests that are due, and send them."""
    now = clock.now()
    return sweeps.in_turn(
        ("Writing reminders", lambda: retirement.write_reminders(now=now)),
        ("Moves to start this week", lambda: retirement.write_starts(now=now)),
        ("Digests", lambda: digests.write(now=now)),
        ("Sending reminders", lambda: outbox.deliver_due(now=now)),
        now=now,
    )


@shared_task(name="versioning.deliver_events")
def deliver_events() -> int:
    """Give events to those who take them."""
    now = clock.now()
    return sweeps.in_turn(("Events", lambda: outbox.deliver_due(now=now)), now=now)


@shared_task(name="versioning.forget_old_answers")
def forget_old_answers() -> int:
    """Drop the stored answers of requests that nobody repeats any more, and old events."""
    now = clock.now()
    return sweeps.in_turn(
        ("Old answers", lambda: idempotency.forget_old(now=now)),
        ("Old events", lambda: events.forget_old(now=now)),
        now=now,
    )


@shared_task(name="versioning.chain_seals")
def chain_seals() -> int:
    """Put the newest rows of the history into its chain."""
    return sweeps.in_turn(("Seals of the history", seals.chain), now=clock.now())


@shared_task(name="versioning.verify_history")
def verify_history() -> int:
    """Hold the history against its seals; people are told where somebody changed it."""
    now = clock.now()
    return sweeps.in_turn(("Verifying the history", lambda: seals.verify_nightly(now=now)), now=now)
