"""recommendations, explain, upgrade and rollback: a move from the command line."""

import json

import pytest

from tests.factories import UpgradeRecordFactory
from tests.versioning.management.conftest import NEW, OLD, Shell
from versioning.models import ModelVersion, Policy, TrackedModel, UpgradeRecord

pytestmark = pytest.mark.django_db


def label_in_use(tracked: TrackedModel) -> str:
    tracked.refresh_from_db()
    assert tracked.current_version is not None
    return tracked.current_version.label


def test_what_waits_is_listed(shell: Shell, zeta: TrackedModel) -> None:
    ended = shell("recommendations")

    record = UpgradeRecord.objects.waiting().get()
    assert ended.code == 0
    (line,) = ended.out.splitlines()
    assert line.split()[:4] == [str(record.pk), "router", "/", "zeta"]
    assert f"1.0.0 → {record.to_version.label}" in line


def test_what_waits_as_json(shell: Shell, zeta: TrackedModel) -> None:
    (found,) = json.loads(shell("recommendations", "--json").out)

    record = UpgradeRecord.objects.waiting().get()
    assert found.pop("why")
    assert found == {
        "record_id": record.pk,
        "provider": "router",
        "model": "zeta",
        "from_version": "1.0.0",
        "to_version": record.to_version.label,
        "recommended": False,  # nothing was measured yet
        "improvement": None,
        "rests_on": [],
        "missing": ["live samples", "tests"],
        "unasked": False,
    }


def test_nothing_waits(shell: Shell) -> None:
    assert shell("recommendations").out == "Nothing waits for a decision.\n"
    assert json.loads(shell("recommendations", "--json").out) == []


def test_an_upgrade_and_the_way_back(shell: Shell, zeta: TrackedModel) -> None:
    to = UpgradeRecord.objects.waiting().get().to_version

    moved = shell("upgrade", "router", "zeta", "--reason", "It reads more.")

    assert (moved.code, moved.err) == (0, "")
    assert moved.out == f"router / zeta: {to.label} is current.\n"
    assert (label_in_use(zeta), to.upstream_id) == (to.label, NEW)

    back = shell("rollback", "router", "zeta", "--reason", "It is slow.")

    assert (back.code, back.err) == (0, "")
    assert back.out.startswith("router / zeta: back at 1.0.0.\n")
    assert label_in_use(zeta) == "1.0.0"
    kept = UpgradeRecord.objects.values_list("steps__reason", "steps__actor_kind")
    assert {("It reads more.", "command"), ("It is slow.", "command")} <= set(kept)


def test_a_rollback_says_that_the_old_version_is_listed_no_more(
    shell: Shell, zeta: TrackedModel
) -> None:
    shell("upgrade", "router", "zeta")
    ModelVersion.objects.filter(upstream_id=OLD).update(gone_at=zeta.created_at)

    back = shell("rollback", "router", "zeta", "--reason", "It is slow.")

    assert back.code == 0
    first, *more = back.out.splitlines()
    assert first == "router / zeta: back at 1.0.0."
    assert f"{OLD} is no longer listed by the provider: requests may fail." in more


def test_any_version_can_be_named(shell: Shell, zeta: TrackedModel) -> None:
    label = UpgradeRecord.objects.waiting().get().to_version.label

    assert shell("upgrade", "router", "zeta", "--to", label).code == 0
    assert label_in_use(zeta) == label

    again = shell("upgrade", "router", "zeta", "--to", label)
    assert again.code == 1
    assert "is the current version already" in again.err


def test_a_snoozed_recommendation_is_not_taken_unasked(shell: Shell, zeta: TrackedModel) -> None:
    UpgradeRecord.objects.waiting().update(
        state=UpgradeRecord.State.SNOOZED, snoozed_until=zeta.created_at
    )

    ended = shell("upgrade", "router", "zeta")

    assert ended.code == 1
    assert "No upgrade of zeta is recommended" in ended.err
    assert label_in_use(zeta) == "1.0.0"


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["upgrade", "router", "nope"], 1, "router / nope is not tracked"),
        (["upgrade", "router", "zeta", "--to", "9.9"], 1, "has no version 9.9"),
        (["upgrade", "router"], 2, "model"),
        (["upgrade", "router", "zeta", "--min-quality-improvement", "much"], 1, "such as 0.1"),
        (["upgrade", "router", "zeta", "--min-quality-improvement", "0.1"], 1, "Stays at 1.0.0"),
        (
            ["upgrade", "router", "zeta", "--min-quality-improvement", "0.1", "--reason", "so"],
            *(2, "Leave --reason out"),
        ),
        (
            ["upgrade", "router", "zeta", "--min-quality-improvement", "0.1", "--to", "1.1.0"],
            *(2, "not allowed with"),
        ),
        (["rollback", "router", "zeta"], 2, "--reason"),
        (["rollback", "router", "zeta", "--reason", "so"], 1, "no earlier version"),
        (["rollback", "router", "nope", "--reason", "so"], 1, "router / nope is not tracked"),
        (["explain", "router", "nope"], 1, "router / nope is not tracked"),
    ],
)
def test_what_can_not_be_done(
    shell: Shell, zeta: TrackedModel, arguments: list[str], code: int, says: str
) -> None:
    ended = shell(*arguments)

    assert ended.code == code
    assert says in ended.err
    assert ended.out == ""
    assert label_in_use(zeta) == "1.0.0"


def test_an_upgrade_that_waits_for_others_says_so(shell: Shell, zeta: TrackedModel) -> None:
    Policy.objects.create(tracked_model=zeta, requester_may_approve=False)
    UpgradeRecord.objects.waiting().update(state=UpgradeRecord.State.REJECTED)
    label = UpgradeRecord.objects.latest("pk").to_version.label

    ended = shell("upgrade", "router", "zeta", "--to", label)

    assert ended.code == 0
    assert f"the upgrade to {label} is recommended; explain says more" in ended.out
    assert label_in_use(zeta) == "1.0.0"


def test_explain_says_which_rule_stops_it(shell: Shell, zeta: TrackedModel) -> None:
    ended = shell("explain", "router", "zeta")

    assert ended.code == 0
    assert "  stops  automation " in ended.out
    assert "  ok     pinned " in ended.out
    assert label_in_use(zeta) == "1.0.0"


def test_explain_as_json(shell: Shell, zeta: TrackedModel) -> None:
    said = json.loads(shell("explain", "router", "zeta", "--json").out)

    assert said["record_id"] == UpgradeRecord.objects.waiting().get().pk
    assert said["allowed"] is False
    stops = {row["rule"] for row in said["rules"] if not row["ok"]}
    assert "automation" in stops
    assert "pinned" not in stops


def test_explain_where_nothing_waits(shell: Shell) -> None:
    record = UpgradeRecordFactory(state=UpgradeRecord.State.REJECTED)
    tracked = record.tracked_model

    said = json.loads(shell("explain", tracked.provider.slug, tracked.name, "--json").out)

    assert said["record_id"] is None
    assert said["rules"] == []
    assert said["next"] == "Nothing: no newer version is recommended."
