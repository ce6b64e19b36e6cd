"""The audit trail of an upgrade: all that is kept of it, and whether it is as it was written."""

from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.factories import NOW
from tests.versioning.admin.pages import text
from versioning.models import Approval, Comment, UpgradeRecord, UpgradeStep
from versioning.services import seals
from versioning.services.actors import Actor
from versioning.services.upgrades import decisions, discussion

STAFF = Actor.command("auditor's friend")


@pytest.fixture
def decided(record: UpgradeRecord) -> UpgradeRecord:
    discussion.comment(record_id=record.pk, actor=STAFF, now=NOW, text="Looks fine.")
    decisions.approve(record_id=record.pk, actor=STAFF, now=NOW, reason="Better, and cheaper.")
    record.refresh_from_db()
    return record


def page_of(record: UpgradeRecord) -> str:
    return reverse("admin:versioning_upgraderecord_audit_trail", args=[record.pk])


def data_of(record: UpgradeRecord) -> str:
    return reverse("audit-trail", args=[record.pk])


def test_all_that_is_kept_stands_on_one_page(viewer: Client, decided: UpgradeRecord) -> None:
    seals.chain()

    page = text(viewer.get(page_of(decided)))

    for step in decided.steps.all():
        assert step.evidence_hash in page
        assert step.reason in page
    for said in ("Looks fine.", "Better, and cheaper.", str(seals.head())):
        assert said in unescape(page)
    assert "No sealed row was changed since it was written." in unescape(page)
    assert "no seal" not in page


def test_it_is_the_same_over_the_api_with_the_evidence_word_for_word(
    viewer: Client, decided: UpgradeRecord
) -> None:
    trail = viewer.get(data_of(decided)).json()

    kept = {(each["kind"], each["id"]) for each in trail["entries"]}
    assert kept == {
        *(("step", pk) for pk in decided.steps.values_list("pk", flat=True)),
        *(("approval", pk) for pk in decided.approvals.values_list("pk", flat=True)),
        *(("comment", pk) for pk in decided.comments.values_list("pk", flat=True)),
    }
    moments = [each["at"] for each in trail["entries"]]
    assert moments == sorted(moments)
    steps = UpgradeStep.objects.in_bulk()
    for each in trail["entries"]:
        assert each["sealed"]["changed"] == []
        if each["kind"] == "step":
            assert each["evidence"] == steps[each["id"]].evidence
    assert trail["layers"]
    assert trail["head"] == str(seals.head())


@pytest.mark.parametrize(
    ("model", "field"), [(UpgradeStep, "reason"), (Approval, "reason"), (Comment, "text")]
)
def test_a_row_changed_behind_its_back_is_named(
    viewer: Client, decided: UpgradeRecord, model: type[UpgradeStep], field: str
) -> None:
    seals.chain()
    model.objects.filter(record=decided).update(**{field: "I never said so."})

    page = unescape(text(viewer.get(page_of(decided))))
    entries = viewer.get(data_of(decided)).json()["entries"]

    assert "changed behind Hotswap's back" in page
    assert f"changed since it was written: {field}" in page
    changed = [each for each in entries if each["sealed"]["changed"]]
    assert {each["kind"] for each in changed} == {model._meta.model_name.replace("upgrade", "")}
    assert all(each["sealed"]["changed"] == [field] for each in changed)


def test_a_row_put_there_behind_its_back_has_no_seal(
    viewer: Client, decided: UpgradeRecord
) -> None:
    step = decided.steps.order_by("pk").last()
    assert step is not None
    step.pk = None
    UpgradeStep.objects.bulk_create([step])

    assert "1 row has no seal." in unescape(text(viewer.get(page_of(decided))))
    assert None in [each["sealed"] for each in viewer.get(data_of(decided)).json()["entries"]]


def test_more_rows_ask_no_more_questions(viewer: Client, decided: UpgradeRecord) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            viewer.get(page_of(decided))
        return len(queries)

    before = asked()
    for number in range(5):
        discussion.comment(record_id=decided.pk, actor=STAFF, now=NOW, text=f"And {number}.")
    assert asked() == before


def test_who_may_see_no_upgrades_sees_no_trail(client: Client, decided: UpgradeRecord) -> None:
    assert client.get(page_of(decided)).status_code == 302
    assert client.get(data_of(decided)).status_code == 401
