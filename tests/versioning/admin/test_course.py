"""The page of an upgrade on its course, and what people say to its canary."""

import datetime as dt

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.versioning.admin.conftest import recommend
from tests.versioning.admin.pages import address, decide, text
from versioning.models import Canary, ModelVersion, Notice, Policy, UpgradeRecord, Watch
from versioning.services.samples import ingestion
from versioning.services.samples.incoming import SampleIn

STEPS = [
    {"weight": 5, "hours": 24, "samples": 100, "approval": True},
    {"weight": 50, "hours": 24},
]
LIST = reverse("admin:versioning_upgraderecord_changelist")


@pytest.fixture
def trial(record: UpgradeRecord) -> UpgradeRecord:
    """A canary at its first step, begun two hours ago."""
    began = timezone.now() - dt.timedelta(hours=2)
    UpgradeRecord.objects.filter(pk=record.pk).update(state="canary")
    record.refresh_from_db()
    Canary.objects.create(
        record=record, salt="x", steps=STEPS, began_at=began, step_began_at=began,
        looked_at=timezone.now(), says="It stays at 5%.",
    )  # fmt: skip
    return record


def served(version: ModelVersion, number: int) -> None:
    model, now = version.tracked_model, timezone.now()
    sample = SampleIn(
        provider=model.provider.slug, model=model.name, resolved_id=version.upstream_id,
        time=now - dt.timedelta(hours=1), task="t", quality=0.5,
    )  # fmt: skip
    ingestion.accept([sample] * number, api_key_id=None, now=now)


class TestCanary:
    def test_its_page_says_where_it_is_and_what_it_waits_for(
        self, viewer: Client, trial: UpgradeRecord
    ) -> None:
        assert trial.from_version is not None
        served(trial.from_version, 40)
        served(trial.to_version, 3)

        page = text(viewer.get(address(trial, "change")))

        assert "Canary: 5% of the keys get it, step 1 of 2" in page
        assert "1 day, 100 samples, a person&#x27;s approval" in page
        assert "Samples: 3 of 100" in page
        assert "A person&#x27;s approval: missing" in page
        assert "1.0.0: 40 · 1.1.0: 3" in page
        assert "It stays at 5%." in page
        assert "Approve the step" not in page  # a viewer only looks

    def test_a_reviewer_approves_the_step(self, reviewer: Client, trial: UpgradeRecord) -> None:
        assert "Approve the step" in text(reviewer.get(address(trial, "change")))

        page = text(decide(reviewer, trial, "approve_step"))

        assert "approved for its next step" in page.lower()
        assert Canary.objects.get().approved_position == 0
        assert "Approve the step" not in text(reviewer.get(address(trial, "change")))

    def test_a_paused_one_is_resumed(self, reviewer: Client, trial: UpgradeRecord) -> None:
        assert "Resume" not in text(reviewer.get(address(trial, "change")))
        Canary.objects.update(paused_at=timezone.now())
        assert "paused" in text(reviewer.get(address(trial, "change")))

        decide(reviewer, trial, "resume")

        assert Canary.objects.get().paused_at is None

    def test_abort_needs_a_reason_and_gives_every_key_the_current_version(
        self, reviewer: Client, trial: UpgradeRecord
    ) -> None:
        assert "Every key gets the current version at once" in text(
            reviewer.get(address(trial, "abort"))
        )
        decide(reviewer, trial, "abort", reason=" ")
        trial.refresh_from_db()
        assert trial.state == "canary"

        decide(reviewer, trial, "abort", reason="Odd answers.")

        trial.refresh_from_db()
        assert trial.state == "aborted"
        assert trial.steps.get().reason == "Odd answers."

    @pytest.mark.parametrize("name", ["approve_step", "resume", "abort"])
    def test_a_viewer_says_nothing_to_it(
        self, viewer: Client, trial: UpgradeRecord, name: str
    ) -> None:
        assert viewer.get(address(trial, name)).status_code == 403

    def test_one_that_has_ended_is_told(self, reviewer: Client, trial: UpgradeRecord) -> None:
        UpgradeRecord.objects.filter(pk=trial.pk).update(state="aborted")

        page = text(decide(reviewer, trial, "approve_step"))

        assert "This canary has ended" in page


class TestCourse:
    def test_an_approved_one_says_what_it_waits_for(
        self, viewer: Client, record: UpgradeRecord
    ) -> None:
        UpgradeRecord.objects.filter(pk=record.pk).update(state="approved")

        page = text(viewer.get(address(record, "change")))

        assert "first the provider is asked for a way back" in page

    def test_a_watched_one_compares_with_before(
        self, reviewer: Client, record: UpgradeRecord
    ) -> None:
        decide(reviewer, record, "approve")
        assert record.from_version is not None
        served(record.from_version, 5)
        served(record.to_version, 5)

        page = text(reviewer.get(address(record, "change")))

        assert "Watched until" in page
        assert "1.1.0 now against 1.0.0 before" in page
        assert "Quality 1.0.0" in page
        Watch.objects.update(ended_at=timezone.now())
        assert "Watched until" not in text(reviewer.get(address(record, "change")))

    @pytest.mark.parametrize("state", ["completed", "rolled_back"])
    def test_how_its_watch_ended_stands_at_its_top(
        self, reviewer: Client, record: UpgradeRecord, state: str
    ) -> None:
        decide(reviewer, record, "approve")
        UpgradeRecord.objects.filter(pk=record.pk).update(state=state)
        Watch.objects.update(
            ended_at=timezone.now() - dt.timedelta(hours=3),
            result=Watch.Result.WORSE,
            sentence="quality fell by a half.",
        )

        page = text(reviewer.get(address(record, "change")))

        top = page[page.index("After the move") : page.index('id="sheet"')]
        assert "the watch ended" in top
        assert "3 hours ago" in top
        assert "worse: somebody must decide" in top
        assert "Quality fell by a half." in top

    def test_the_start_page_says_how_far_it_is(self, viewer: Client, trial: UpgradeRecord) -> None:
        page = text(viewer.get(reverse("admin:index")))

        assert "5% of the keys, step 1 of 2. It stays at 5%." in page[page.index("Under way") :]

    def test_the_list_shows_those_under_way(self, reviewer: Client, trial: UpgradeRecord) -> None:
        recommend(name="calm")
        moved = recommend(name="moved")
        decide(reviewer, moved, "approve")

        def listed(course: str) -> list[str]:
            page = text(reviewer.get(LIST, {"course": course}))
            return [name for name in ("writer", "calm", "moved") if f"<strong>{name}<" in page]

        assert listed("under_way") == ["writer"]
        assert listed("waiting") == ["calm"]
        assert listed("watched") == ["moved"]


class TestWhatHappensFirst:
    @pytest.mark.parametrize(
        ("policy", "says"),
        [
            ({}, "It is made current at once."),
            ({"required_suites": ["sums"]}, "It is tested with sums. Passed, it is made current."),
            ({"canary_steps": STEPS}, "tried as a canary, at first with 5% of the keys"),
            ({"approvals_needed": 2}, "Once 2 people have approved it, it is made current"),
        ],
    )
    def test_it_says_so_before(
        self, reviewer: Client, record: UpgradeRecord, policy: dict[str, object], says: str
    ) -> None:
        Policy.objects.create(**policy)

        for page in ("approve", "change"):
            assert says in text(reviewer.get(address(record, page)))
        at_once = "required_suites" not in policy and "canary_steps" not in policy
        assert ("from then on" in text(reviewer.get(address(record, "approve")))) is at_once

    def test_a_dead_way_back_is_told(self, reviewer: Client, record: UpgradeRecord) -> None:
        Notice.objects.create(
            kind="way_back", record=record, raised_at=timezone.now(), sentence="It is dead."
        )
        assert "It is dead." in text(reviewer.get(address(record, "approve")))
        assert "The way back is open" not in text(reviewer.get(address(record, "change")))
        Policy.objects.create(canary_steps=STEPS)
        ModelVersion.objects.filter(pk=record.from_version_id).update(gone_at=timezone.now())

        page = text(reviewer.get(address(record, "approve")))

        assert "zeta-writer-1 is no longer listed. It can&#x27;t be approved so." in page

    def test_as_many_queries_for_eight_as_for_two(self, reviewer: Client) -> None:
        counts = []
        for number in (2, 8):
            records = [recommend(name=f"m{number}-{n}") for n in range(number)]
            sent = {"action": "approve_selected", "_selected_action": [r.pk for r in records]}
            with CaptureQueriesContext(connection) as asked:
                assert reviewer.post(LIST, sent).status_code == 200
            counts.append(len(asked))
        assert counts[0] == counts[1]
