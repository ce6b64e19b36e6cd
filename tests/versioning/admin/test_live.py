"""Pieces of pages that are asked for again while something is under way."""

import datetime as dt

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from tests.factories import NOW, ProviderFactory
from tests.versioning.admin.conftest import open_run, recommend, schedule_looks
from tests.versioning.admin.pages import address, text
from versioning.models import (
    Canary,
    Check,
    EvaluationRun,
    Event,
    UpgradeRecord,
)

UNDER_WAY = reverse("admin:versioning_upgraderecord_under_way")
STEPS = [{"weight": 5, "hours": 24}, {"weight": 50, "samples": 500}]


@pytest.fixture
def trial(record: UpgradeRecord) -> UpgradeRecord:
    began = timezone.now() - dt.timedelta(hours=2)
    UpgradeRecord.objects.filter(pk=record.pk).update(state="canary", changed_at=began)
    Canary.objects.create(
        record=record, salt="x", steps=STEPS, began_at=began, step_began_at=began,
        looked_at=timezone.now() - dt.timedelta(minutes=2), says="It stays at 5%.",
    )  # fmt: skip
    record.refresh_from_db()
    return record


@pytest.fixture
def schedule(db: None) -> PeriodicTask:
    return schedule_looks()


class TestRun:
    def test_the_page_follows_an_open_run_and_its_piece_says_when_it_has_ended(
        self, viewer: Client, record: UpgradeRecord
    ) -> None:
        run = open_run(record)
        page = reverse("admin:versioning_evaluationrun_change", args=[run.pk])
        piece = reverse("admin:versioning_evaluationrun_live", args=[run.pk])
        assert f'data-live="{piece}"' in text(viewer.get(page))
        assert "hotswap/live.js" in text(viewer.get(page))

        first = viewer.get(piece)
        assert "0 of 4 requests" in text(first)
        same = {"If-None-Match": first["ETag"]}
        assert viewer.get(piece, headers=same).status_code == 304

        run.trials.filter(case_key="one").update(done_at=NOW, outcome="ok")
        assert "2 of 4 requests" in text(viewer.get(piece, headers=same))

        EvaluationRun.objects.update(state="done", ended_at=NOW, verdict="not_worse")
        ended = text(viewer.get(piece))
        assert "data-live=" not in ended
        assert "It has ended: show the results" in ended
        assert "data-live=" not in text(viewer.get(page))
        assert "It has ended: show" not in text(viewer.get(page))


class TestCanary:
    def test_the_page_says_when_it_is_looked_at_next(
        self, viewer: Client, trial: UpgradeRecord, schedule: PeriodicTask
    ) -> None:
        page = text(viewer.get(address(trial, "change")))

        assert "hotswap/live.js" in page
        assert f'data-live="{address(trial, "live")}"' in page
        due = Canary.objects.get().looked_at
        assert due is not None
        assert f'datetime="{(due + dt.timedelta(minutes=5)).isoformat()[:16]}' in page

    def test_paused_or_without_a_schedule_no_look_is_promised(
        self, viewer: Client, trial: UpgradeRecord, schedule: PeriodicTask
    ) -> None:
        Canary.objects.update(paused_at=timezone.now())
        assert "none while it is paused" in text(viewer.get(address(trial, "live")))

        Canary.objects.update(paused_at=None)
        PeriodicTask.objects.filter(pk=schedule.pk).update(enabled=False)
        assert "none is scheduled" in text(viewer.get(address(trial, "live")))

    def test_it_tells_what_it_did_so_far(self, viewer: Client, trial: UpgradeRecord) -> None:
        for kind in ("canary.paused", "upgrade.decided"):
            Event.objects.create(
                kind=kind, version=1, at=NOW, tracked_model=trial.tracked_model, record=trial,
                actor_kind="scheduler", actor_name="scheduler", sentence=f"About {kind}.",
            )  # fmt: skip

        piece = text(viewer.get(address(trial, "live")))

        assert "About canary.paused." in piece
        assert "About upgrade.decided." not in piece

    def test_the_piece_is_304_until_something_changes_and_says_when_it_has_ended(
        self, viewer: Client, trial: UpgradeRecord
    ) -> None:
        first = viewer.get(address(trial, "live"))
        again = viewer.get(address(trial, "live"), headers={"If-None-Match": first["ETag"]})
        assert again.status_code == 304
        assert again.content == b""

        Canary.objects.update(position=1, says="It goes on.")
        moved = viewer.get(address(trial, "live"), headers={"If-None-Match": first["ETag"]})
        assert moved.status_code == 200
        assert "50% of the keys, step 2 of 2. It goes on." in text(moved)

        UpgradeRecord.objects.filter(pk=trial.pk).update(state="aborted")
        ended = text(viewer.get(address(trial, "live")))
        assert "The canary has ended: aborted" in ended
        assert "data-live=" not in ended


class TestApproved:
    """What waits for its canary is followed, too: who approved it sees it begin."""

    def test_the_page_follows_it_into_its_canary(
        self, viewer: Client, record: UpgradeRecord
    ) -> None:
        UpgradeRecord.objects.filter(pk=record.pk).update(state="approved")
        page = text(viewer.get(address(record, "change")))
        piece = f"{address(record, 'live')}?was=approved"
        assert f'data-live="{piece}"' in page
        assert "hotswap/live.js" in page
        assert "the provider is asked for a way back" in text(viewer.get(piece))

        now = timezone.now()
        UpgradeRecord.objects.filter(pk=record.pk).update(state="canary")
        Canary.objects.create(record=record, salt="x", steps=STEPS, began_at=now, step_began_at=now)
        begun = text(viewer.get(piece))
        assert "The canary has begun." in begun
        assert f'data-live="{piece}"' in begun
        assert "The canary has begun." not in text(viewer.get(address(record, "live")))

    def test_what_became_of_it_is_said_where_it_had_no_canary(
        self, viewer: Client, record: UpgradeRecord
    ) -> None:
        UpgradeRecord.objects.filter(pk=record.pk).update(state="failed")
        piece = text(viewer.get(f"{address(record, 'live')}?was=approved"))
        assert "It is failed now." in piece
        assert "The canary" not in piece
        assert "data-live=" not in piece


class TestUnderWay:
    def test_the_inbox_follows_what_is_under_way(
        self, viewer: Client, trial: UpgradeRecord, schedule: PeriodicTask
    ) -> None:
        page = text(viewer.get(reverse("admin:index")))
        assert "hotswap/live.js" in page
        assert f'data-live="{UNDER_WAY}"' in page
        assert "5% of the keys, step 1 of 2. It stays at 5%." in page

        piece = viewer.get(UNDER_WAY)
        assert "data-countdown" in text(piece)
        assert viewer.get(UNDER_WAY, headers={"If-None-Match": piece["ETag"]}).status_code == 304

        UpgradeRecord.objects.filter(pk=trial.pk).update(state="aborted")
        ended = text(viewer.get(UNDER_WAY))
        assert "Nothing is under way any more." in ended
        assert "data-live=" not in ended

    def test_where_nothing_is_under_way_nothing_is_followed(
        self, viewer: Client, record: UpgradeRecord
    ) -> None:
        page = text(viewer.get(reverse("admin:index")))
        assert "hotswap/live.js" not in page
        assert "data-live=" not in page

    def test_as_many_queries_for_ten_canaries_as_for_one(
        self, viewer: Client, trial: UpgradeRecord
    ) -> None:
        def queries() -> int:
            with CaptureQueriesContext(connection) as asked:
                assert viewer.get(UNDER_WAY).status_code == 200
            assert all(each["sql"].startswith("SELECT") for each in asked.captured_queries)
            return len(asked)

        viewer.get(UNDER_WAY)
        one = queries()
        for n in range(9):
            other = recommend(name=f"m{n}")
            UpgradeRecord.objects.filter(pk=other.pk).update(state="canary")
            Canary.objects.create(
                record=other, salt="x", steps=STEPS, began_at=NOW, step_began_at=NOW
            )
        assert queries() == one


class TestAsked:
    """Who asks providers sees the answers where they asked, without a reload."""

    NOW_PAGE = reverse_lazy("admin:versioning_check_now")
    PIECE = reverse_lazy("admin:versioning_check_asked")

    @pytest.mark.parametrize("sent", [{}, {"next": "inbox"}, {"provider": "zeta"}])
    def test_the_page_follows_them_until_each_has_answered(
        self, operator: Client, monkeypatch: pytest.MonkeyPatch, sent: dict[str, str]
    ) -> None:
        zeta = ProviderFactory(slug="zeta", name="Zeta")
        for name in ("check_provider", "check_providers"):
            monkeypatch.setattr(f"versioning.tasks.{name}.delay", lambda **_: None)
        page = text(operator.post(self.NOW_PAGE, sent, follow=True))
        assert f'data-live="{self.PIECE}"' in page
        assert "hotswap/live.js" in page
        assert "0 of 1 answered" in page

        now = timezone.now()
        check = Check.objects.create(
            provider=zeta, trigger="staff", state="running", started_at=now, lease_until=now
        )
        assert "0 of 1 answered" in text(operator.get(self.PIECE))

        Check.objects.filter(pk=check.pk).update(state="changed", added=2, finished_at=now)
        ended = text(operator.get(self.PIECE))
        assert "1 of 1 answered" in ended
        assert "Zeta</a>: 2 new ids" in ended
        assert "data-live=" not in ended

    def test_later_nothing_is_said_of_it_nor_to_anybody_else(
        self, operator: Client, viewer: Client
    ) -> None:
        ProviderFactory()
        operator.post(self.NOW_PAGE, {})
        assert "Asked just now" not in text(viewer.get(self.PIECE))
        assert "Asked just now" in text(operator.get(self.PIECE))
        session = operator.session
        session["asked_checks"] = [(timezone.now() - dt.timedelta(minutes=11)).isoformat(), ""]
        session.save()
        assert "Asked just now" not in text(operator.get(self.PIECE))


def test_strangers_get_no_piece(log_in: object, trial: UpgradeRecord) -> None:
    stranger = log_in("")  # type: ignore[operator]
    for piece in (UNDER_WAY, address(trial, "live")):
        assert stranger.get(piece).status_code == 403
        assert Client().get(piece).status_code == 302
