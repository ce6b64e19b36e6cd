"""Days have one form on all pages, whoever wrote the sentence: 1 Dec 2026, and not 2026-12-01."""

import datetime as dt
import re
from html.parser import HTMLParser

from django.contrib import admin
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from tests.versioning.admin.conftest import recommend
from tests.versioning.admin.pages import address, text
from tests.versioning.admin.test_pages import make_rows
from versioning.domain.memory import Wake, WakeKind
from versioning.models import Canary, Freeze, ModelVersion, Policy, UpgradeRecord
from versioning.services import events, versions
from versioning.services.actors import Actor
from versioning.services.upgrades import canary, decisions, retirement

ISO_DAY = re.compile(r'(?<![\w"-])20\d\d-\d\d-\d\d\b')
"""A day by itself: one within an id or a quoted value is the provider's."""

DAY = dt.timedelta(days=1)
MOST_ROWS = 5
STEPS = [{"weight": 20, "hours": 99, "approval": True}]


class Visible(HTMLParser):
    """What a person reads, without code and without what stands in fields."""

    UNREAD = frozenset({"code", "pre", "script", "style", "textarea", "option", "title"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.within: list[str] = []
        self.read: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self.UNREAD:
            self.within.append(tag)
        said = dict(attrs)
        self.read += [value for name in ("title", "aria-label") if (value := said.get(name))]

    def handle_endtag(self, tag: str) -> None:
        if self.within and self.within[-1] == tag:
            self.within.pop()

    def handle_data(self, data: str) -> None:
        if not self.within:
            self.read.append(data.strip())


def pages(staff: object) -> list[str]:
    """Return each list, and each row's own page and history."""
    request = RequestFactory().get("/")
    request.user = staff
    found = [reverse("admin:index")]
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        found.append(reverse(f"{name}_changelist"))
        found += [
            reverse(f"{name}_change", args=[pk])
            for pk in model._default_manager.order_by("-pk").values_list("pk", flat=True)[
                :MOST_ROWS
            ]
        ]
    return found


def test_each_sentence_has_the_form_of_the_pages(boss: Client, admin_user: object) -> None:
    now, today = timezone.now(), timezone.localdate()
    actor = Actor.command()
    make_rows(1)
    # One whose way back would close within its watch, one that is put off by a freeze.
    leaving = recommend(name="leaving")
    versions.change(
        version_id=leaving.from_version_id,
        changes={"deprecated_on": today, "retires_on": today + 3 * DAY},
        actor=actor,
    )
    ModelVersion.objects.filter(pk=leaving.to_version_id).update(released_on=today)
    Policy.objects.create(
        tracked_model=leaving.tracked_model, canary_steps=STEPS, minimum_age_days=30
    )
    leaving.tracked_model.owner = "ada@example.com"
    leaving.tracked_model.save()
    retirement.write_reminders(now=now)
    events.retirement_changed(leaving.from_version, before=today, actor=actor, now=now)
    Freeze.objects.create(name="Year's end", starts_at=now - DAY, ends_at=now + DAY)
    # Canaries that wait and whose step is approved, one moved, one to be asked for again.
    for name in ("waits", "is approved"):
        trial = recommend(name=name)
        UpgradeRecord.objects.filter(pk=trial.pk).update(state="canary")
        Canary.objects.create(record=trial, salt="x", steps=STEPS, began_at=now, step_began_at=now)
        canary.evaluate(record_id=trial.pk, now=now)
    canary.approve_step(record_id=trial.pk, actor=actor, now=now)
    moved = recommend(name="moved")
    decisions.approve(record_id=moved.pk, actor=actor, now=now)
    put_off = recommend(name="put off")
    decisions.reject(
        record_id=put_off.pk, actor=actor, now=now, reason="Later.",
        wake=Wake(kind=WakeKind.UNTIL, until=today + 9 * DAY),
    )  # fmt: skip

    decided = [address(leaving, name) for name in ("approve", "reject", "snooze", "why")]
    found = [
        f"{page}: {said}"
        for page in [*pages(admin_user), *decided, address(moved, "roll_back")]
        for said in Visible(text(boss.get(page, follow=True))).read
        if ISO_DAY.search(said)
    ]

    assert "\n".join(found) == ""
