"""verify_history: whatever is changed in the history past Hotswap is named, whichever way."""

from collections.abc import Callable
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import Model
from django.utils import timezone

from tests.factories import ApiKeyFactory, UserFactory
from tests.versioning.management.conftest import Shell
from versioning import tasks
from versioning.domain import sealing
from versioning.models import (
    Approval,
    AutomationSwitch,
    LineageRule,
    Look,
    Notice,
    OutcomeReport,
    Policy,
    Seal,
    TrackedModel,
    UpgradeRecord,
    UpgradeStep,
)
from versioning.services import editing, seals
from versioning.services.actors import Actor
from versioning.services.upgrades import decisions

pytestmark = pytest.mark.django_db


def sql(statement: str, *values: object) -> None:
    """Change the database as somebody does who goes past Hotswap."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


@pytest.fixture
def history(zeta: TrackedModel, shell: Shell) -> UpgradeRecord:
    """A policy of two people, an approval, a move and the way back; the chain is made once."""
    ada, bo = UserFactory(username="ada"), UserFactory(username="bo")
    editing.add(Policy(tracked_model=zeta, approvals_needed=2), actor=Actor.of_user(ada))
    ApiKeyFactory()
    record = UpgradeRecord.objects.waiting().get()
    for person in (ada, bo):
        decisions.approve(
            record_id=record.pk, actor=Actor.of_user(person), now=timezone.now(), reason="Go."
        )
    tasks.chain_seals()
    shell("rollback", "router", "zeta", "--reason", "It answers slower.")
    OutcomeReport.objects.create(
        record=record, after_days=7, promised={}, real={}, sentence="As.", made_at=timezone.now()
    )
    looked(record, is_news=True)
    return record


def looked(record: UpgradeRecord, *, is_news: bool) -> Look:
    return Look.objects.create(
        record=record, stage="watch", at=timezone.now(), outcome="good", says="As before.",
        evidence={"sentence": "As before."}, evidence_hash="0" * 64, is_news=is_news,
    )  # fmt: skip


def test_a_history_that_nobody_touched(history: UpgradeRecord, shell: Shell) -> None:
    ended = shell("verify_history")

    assert (ended.code, ended.err) == (0, "")
    last = Seal.objects.chained().last()
    assert last is not None
    assert ended.out == (
        f"{Seal.objects.count()} rows are as written. The chain ends at {last.number}:{last.link}\n"
    )
    assert not Seal.objects.loose().exists()


FILLED = (
    UpgradeStep,
    Approval,
    OutcomeReport,
    Look,
    *(model.history.model for model in (Policy, TrackedModel)),
)


def test_every_table_of_the_history_is_sealed(history: UpgradeRecord) -> None:
    tables = {table._meta.db_table for table in seals.tables()}

    assert {table._meta.db_table for table in FILLED} <= tables
    assert {"versioning_historicalapikey", "versioning_historicallineagerule"} <= tables
    for table in seals.tables():
        rows = set(seals.kept_for_good(table).values_list("pk", flat=True))
        sealed = Seal.objects.filter(table=table._meta.db_table)
        assert set(sealed.values_list("row", flat=True)) == rows, table


@pytest.mark.parametrize("table", FILLED, ids=lambda table: table.__name__)
@pytest.mark.parametrize("is_chained", [True, False], ids=["chained", "just written"])
def test_any_field_that_is_changed_is_named(
    history: UpgradeRecord, shell: Shell, table: type[Model], is_chained: bool
) -> None:
    if is_chained:
        tasks.chain_seals()
    row = table._base_manager.earliest("pk")
    name = row._meta.db_table
    key = row._meta.pk
    assert key is not None
    column = {
        UpgradeStep: "actor_name",
        Approval: "reason",
        OutcomeReport: "sentence",
        Look: "says",
    }.get(table, "history_change_reason")
    sql(f"UPDATE {name} SET {column} = %s WHERE {key.column} = %s", "mallory", row.pk)  # noqa: S608

    ended = shell("verify_history")

    assert ended.code == 1
    assert f"{name} {row.pk}, written " in ended.err
    assert f"was changed: {column}." in ended.err


def put_in() -> None:
    sql(
        "INSERT INTO versioning_upgradestep (record_id, before, after, at, actor_kind, actor_name,"
        " reason, evidence_hash, evidence) SELECT record_id, before, after, at, actor_kind, 'bo',"
        " reason, evidence_hash, evidence FROM versioning_upgradestep ORDER BY id LIMIT 1"
    )


def take_out() -> None:
    sql("DELETE FROM versioning_approval WHERE id = (SELECT min(id) FROM versioning_approval)")


def take_out_with_its_seal() -> None:
    first = Approval.objects.earliest("pk")
    take_out()
    sql(
        'DELETE FROM versioning_seal WHERE "table" = \'versioning_approval\' AND "row" = %s',
        first.pk,
    )


def change_with_its_seal() -> None:
    step = UpgradeStep.objects.earliest("pk")
    sql("UPDATE versioning_upgradestep SET actor_name = 'bo' WHERE id = %s", step.pk)
    step.refresh_from_db()
    seal = Seal.objects.get(table="versioning_upgradestep", row=step.pk)
    Seal.objects.filter(pk=seal.pk).update(fields=seals.hashes_of(step))


@pytest.mark.parametrize(
    ("tamper", "named"),
    [
        (put_in, "was put in past Hotswap"),
        (take_out, "was removed"),
        (take_out_with_its_seal, " is gone."),
        (change_with_its_seal, "was changed."),
    ],
)
def test_whatever_else_is_done(
    history: UpgradeRecord, shell: Shell, tamper: Callable[[], None], named: str
) -> None:
    tasks.chain_seals()
    tamper()

    ended = shell("verify_history")

    assert (ended.code, ended.out) == (1, "")
    assert named in ended.err


def test_a_history_written_anew_is_told_by_an_end_that_was_kept(
    history: UpgradeRecord, shell: Shell
) -> None:
    kept = shell("verify_history").out.split()[-1]
    change_with_its_seal()
    before = sealing.START
    for seal in Seal.objects.chained():
        before = sealing.link(
            before=before,
            number=seal.number or 0,
            table=seal.table,
            row=seal.row,
            fields=seal.fields,
        )
        Seal.objects.filter(pk=seal.pk).update(link=before)

    assert shell("verify_history").code == 0
    ended = shell("verify_history", "--since", kept)
    assert ended.code == 1
    assert "is another one than it was then" in ended.err


def test_an_end_of_the_chain_that_is_cut_off(history: UpgradeRecord, shell: Shell) -> None:
    kept = shell("verify_history").out.split()[-1]
    last = Seal.objects.chained().last()
    assert last is not None
    sql(f"DELETE FROM {last.table} WHERE id = %s", last.row)  # noqa: S608
    sql("DELETE FROM versioning_seal WHERE id = %s", last.pk)

    ended = shell("verify_history", "--since", kept)

    assert ended.code == 1
    assert f"Seal {last.number} is gone" in ended.err
    assert shell("verify_history", "--since", "yesterday").code == 2


def test_what_is_written_later_is_no_tampering(history: UpgradeRecord, shell: Shell) -> None:
    tasks.chain_seals()
    Approval.objects.update(fell_at=timezone.now())
    AutomationSwitch.objects.update_or_create(defaults={"on": False, "changed_at": timezone.now()})

    assert shell("verify_history").code == 0


def test_a_look_without_news_is_dropped_in_time_and_that_is_no_tampering(
    history: UpgradeRecord, shell: Shell
) -> None:
    passing = looked(history, is_news=False)
    tasks.chain_seals()
    sql("DELETE FROM versioning_look WHERE id = %s", passing.pk)
    assert shell("verify_history").code == 0

    late = looked(history, is_news=False)
    sql("UPDATE versioning_look SET is_news = %s WHERE id = %s", True, late.pk)
    assert "was put in past Hotswap" in shell("verify_history").err


def test_the_evidence_of_a_look_is_sealed(history: UpgradeRecord, shell: Shell) -> None:
    look = Look.objects.filter(is_news=True).latest("pk")
    sql(
        "UPDATE versioning_look SET evidence = %s WHERE id = %s", '{"sentence": "Better."}', look.pk
    )

    assert "was changed: evidence." in shell("verify_history").err


def test_people_are_told_in_the_night_until_it_is_mended(history: UpgradeRecord) -> None:
    step = UpgradeStep.objects.earliest("pk")
    sql("UPDATE versioning_upgradestep SET actor_name = 'bo' WHERE id = %s", step.pk)

    tasks.verify_history()

    notice = Notice.objects.open().get(kind=Notice.Kind.FAULT)
    assert "was changed behind Hotswap's back" in notice.sentence
    assert "actor_name" in notice.sentence

    sql("UPDATE versioning_upgradestep SET actor_name = %s WHERE id = %s", step.actor_name, step.pk)
    tasks.verify_history()

    assert not Notice.objects.open().filter(kind=Notice.Kind.FAULT).exists()


def test_what_was_written_before_there_were_seals(history: UpgradeRecord, shell: Shell) -> None:
    Seal.objects.all().delete()
    rows = import_module("versioning.migrations.0008_seal_what_is_there")
    looks = import_module("versioning.migrations.0019_seal_the_looks")

    for _ in range(2):  # as if it had been broken off
        rows.seal_all(apps, None)
        looks.seal_looks(apps, None)

    assert shell("verify_history").code == 0


def test_rows_come_in_parts(
    history: UpgradeRecord, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seals, "STEP", 3)
    assert shell("verify_history").code == 0
    numbers = list(Seal.objects.chained().values_list("number", flat=True))
    assert numbers == list(range(1, Seal.objects.count() + 1))
    first = LineageRule.history.model  # nobody wrote one: an empty table is no fault
    assert not first._base_manager.exists()
