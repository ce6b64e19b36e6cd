"""Until when a move can start, and reminders once each."""

import random
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from pytest_django import DjangoAssertNumQueries

from tests.factories import NOW, ModelVersionFactory, TrackedModelFactory, tracked
from versioning import tasks
from versioning.models import Delivery, Policy, Reminder, TrackedModel
from versioning.services import outbox
from versioning.services.samples import ingestion, rollups
from versioning.services.samples.incoming import SampleIn
from versioning.services.upgrades import policies, retirement

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
TODAY = NOW.date()


def retiring(*, days: int, **fields: object) -> TrackedModel:
    model = tracked(**fields)
    model.current_version.retires_on = TODAY + days * DAY
    model.current_version.save()
    return model


def test_the_latest_safe_start_leaves_time_for_all_that_a_move_takes() -> None:
    model = retiring(days=60)
    Policy.objects.create(
        approval_days=5,
        buffer_days=10,
        required_suites=["answers"],
        canary_steps=[{"weight": 5, "hours": 36}, {"weight": 50, "hours": 36}],
    )

    clock = retirement.clock_of(tracked=model, now=NOW)

    assert clock is not None
    assert clock.latest_start == TODAY + (60 - 1 - 3 - 5 - 10) * DAY


def test_without_traffic_a_canary_by_samples_never_ends_and_it_says_so() -> None:
    model = retiring(days=60)
    Policy.objects.create(canary_steps=[{"weight": 5, "samples": 100}])

    clock = retirement.clock_of(tracked=model, now=NOW)

    assert clock is not None
    assert "never end" in clock.warning


def test_a_canary_by_samples_takes_as_long_as_the_traffic_makes_it() -> None:
    model = retiring(days=60)
    Policy.objects.create(
        canary_steps=[{"weight": 10, "samples": 2}], approval_days=0, buffer_days=0
    )
    day = [
        SampleIn(
            provider=model.provider.slug, model=model.name, time=NOW - timedelta(hours=n), task="t"
        )
        for n in range(1, 15)
    ]
    ingestion.accept(day[:7], api_key_id=None, now=NOW)
    rollups.fold(now=NOW)
    ingestion.accept(day[7:], api_key_id=None, now=NOW)

    clock = retirement.clock_of(tracked=model, now=NOW)

    assert clock is not None
    assert clock.needs.canary == 10 * DAY  # 2 requests a day, a tenth of them in the canary


@pytest.mark.parametrize("most_looked_up", [1, 200])
def test_all_clocks_cost_as_many_queries_as_one(
    django_assert_num_queries: DjangoAssertNumQueries,
    monkeypatch: pytest.MonkeyPatch,
    most_looked_up: int,
) -> None:
    monkeypatch.setattr(policies, "MOST_LOOKED_UP", most_looked_up)
    Policy.objects.create(canary_steps=[{"weight": 5, "samples": 100}])
    for n in range(3):
        Policy.objects.create(tracked_model=retiring(days=10 + n), approval_days=n)

    with django_assert_num_queries(5):
        found = retirement.clocks(retirement.due_this_week(now=NOW))

    assert [clock.needs.approval.days for clock in found] == [0, 1, 2]


@pytest.mark.parametrize("seed", range(20))
def test_a_move_takes_as_long_as_the_whole_policy_says(seed: int) -> None:
    """What is read for thousands of models is what the one policy of each would say."""
    luck = random.Random(seed)  # noqa: S311
    models = [TrackedModelFactory() for _ in range(4)]
    models.append(TrackedModelFactory(provider=models[0].provider))
    said: dict[str, list[Any]] = {
        "required_suites": [None, [], ["smoke"]],
        "canary_steps": [None, [], [{"weight": 5, "hours": 24}], [{"weight": 50}]],
        "approval_days": [None, 0, 9],
        "buffer_days": [None, 0, 3],
        "near_retirement_days": [None, 5],
    }
    whom: list[dict[str, Any]] = [{}, *({"tracked_model": each} for each in models)]
    whom += [{"provider": provider} for provider in {each.provider for each in models}]
    for each in luck.sample(whom, luck.randint(1, len(whom))):
        drawn = {name: luck.choice(values) for name, values in said.items()}
        Policy.objects.create(**each, **drawn)

    whole = policies.resolve_all(tracked_models=models)

    assert policies.timing_of_all(tracked_models=models) == {
        pk: policies.Timing.of(resolved.policy) for pk, resolved in whole.items()
    }


def test_those_to_start_this_week_come_first() -> None:
    late, soon = retiring(days=13), retiring(days=11)
    retiring(days=40)

    listed = retirement.clocks(retirement.due_this_week(now=NOW))

    assert [clock.tracked_model for clock in listed] == [soon, late]


def test_a_model_without_a_date_is_foreseen_from_its_earlier_versions() -> None:
    model = tracked()
    model.current_version.released_on = TODAY - 100 * DAY
    model.current_version.save()
    assert retirement.clock_of(tracked=model, now=NOW) is None
    for life in (300, 400):
        ModelVersionFactory(
            tracked_model=model,
            released_on=TODAY - 500 * DAY,
            retires_on=TODAY - (500 - life) * DAY,
        )

    clock = retirement.clock_of(tracked=model, now=NOW)

    assert clock is not None
    assert (clock.retirement.on, clock.retirement.latest) == (
        TODAY + 200 * DAY,
        TODAY + 300 * DAY,
    )
    assert "300 to 400 days" in clock.retirement.reason


def test_each_reminder_goes_once() -> None:
    model = retiring(days=91, owner="ada@example.org")
    sent = []
    for day in range(93):
        for _ in range(2):
            retirement.write_reminders(now=NOW + day * DAY)
            if outbox.deliver_due(now=NOW + day * DAY):
                sent.append(91 - day)

    assert sent == [90, 60, 30, 7, 0]
    assert [message.to for message in mail.outbox] == [["ada@example.org"]] * 5
    assert "retires in 90 days" in mail.outbox[0].subject
    assert model.name in mail.outbox[0].body


def test_a_date_that_moves_is_reminded_of_anew() -> None:
    model = retiring(days=30, owner="ada@example.org")
    assert retirement.write_reminders(now=NOW) == 1
    model.current_version.retires_on = TODAY + 29 * DAY
    model.current_version.save()

    assert retirement.write_reminders(now=NOW) == 1


def test_without_an_owner_nobody_is_written_to() -> None:
    retiring(days=30)

    assert retirement.write_reminders(now=NOW) == 0


def test_a_mail_server_that_is_away_only_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    retiring(days=30, owner="ada@example.org")
    retirement.write_reminders(now=NOW)

    def refuse(*_: object, **__: object) -> None:
        raise ConnectionRefusedError

    with monkeypatch.context() as patched:
        patched.setattr(mail.EmailMessage, "send", refuse)
        assert outbox.deliver_due(now=NOW) == 0
    assert "is not there" in Delivery.objects.get().last_error
    assert outbox.deliver_due(now=NOW) == 0

    assert outbox.deliver_due(now=NOW + DAY) == 1
    assert len(mail.outbox) == 1


def test_the_task_does_both() -> None:
    model = tracked(owner="ada@example.org")
    model.current_version.retires_on = TODAY
    model.current_version.save()

    assert tasks.remind() == 2
    assert tasks.remind() == 0


@pytest.mark.parametrize(
    "name", ["zeta\nBcc: everybody@example.com", "zeta\r\n", "z\u2028eta", "z\x0beta", "z" * 200]
)
def test_a_name_that_no_mail_header_takes_keeps_nobody_from_theirs(name: str) -> None:
    """Stored before the doors refused such names: it is told on one line, and so are the others."""
    odd = retiring(days=7, owner="ada@example.com")
    TrackedModel.objects.filter(pk=odd.pk).update(name=name)
    retiring(days=7, owner="bob@example.com", upstream_id="zeta-2")

    tasks.remind()

    assert retirement.write_reminders(now=NOW) >= 0
    outbox.deliver_due(now=NOW)
    assert {message.to[0] for message in mail.outbox} == {"ada@example.com", "bob@example.com"}
    assert all(len(message.subject.splitlines()) == 1 for message in mail.outbox)


def test_a_stored_subject_or_address_that_can_not_be_sent_stays_alone() -> None:
    odd = retiring(days=7, owner="ada@example.com")
    retiring(days=7, owner="bob@example.com", upstream_id="zeta-2")
    retirement.write_reminders(now=NOW)
    Reminder.objects.filter(tracked_model=odd).update(
        subject="zeta\nretires", to="ada@example.com\nbob"
    )

    outbox.deliver_due(now=NOW)

    assert "bob@example.com" in [message.to[0] for message in mail.outbox]
