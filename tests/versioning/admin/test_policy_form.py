"""The form of a policy: rows, choices and units; what is stored is shown and saved unchanged."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories import tracked
from tests.versioning.admin.pages import text
from tests.versioning.admin.typed import controls
from versioning.domain import calendar
from versioning.domain.presets import PRESETS
from versioning.models import Policy, UpgradeRecord

pytestmark = pytest.mark.any_database

ADD = "/admin/versioning/policy/add/"
FORM = "policy_form"


def change(policy: Policy) -> str:
    return reverse("admin:versioning_policy_change", args=[policy.pk])


def shown(client: Client, policy: Policy) -> dict[str, Any]:
    return typed_into(client.get(change(policy)))


def typed_into(answer: Any) -> dict[str, Any]:
    found = controls(text(answer), FORM)
    del found["csrfmiddlewaretoken"]
    return found


def errors(answer: Any) -> dict[str, Any]:
    return dict(answer.context["adminform"].form.errors)


def settings_of(policy: Policy) -> dict[str, Any]:
    return {
        field.name: getattr(policy, field.attname)
        for field in Policy._meta.fields
        if field.name not in ("id", "provider", "tracked_model", "fallback_version")
    }


number = st.integers(0, 1000) | st.floats(0, 1000, allow_nan=False).map(lambda n: round(n, 6))
step = st.fixed_dictionaries(
    {},
    optional={
        "hours": number,
        "samples": st.integers(0, 10**9),
        "approval": st.booleans(),
        "deadline_hours": st.integers(1001, 8760) | st.floats(1001, 8760),
    },
).filter(lambda found: found.get("hours", 0) < 336 or "deadline_hours" in found)
weights = st.lists(
    st.integers(1, 100) | st.floats(0.001, 100), min_size=0, max_size=4, unique_by=float
).map(sorted)
steps = weights.flatmap(
    lambda found: st.lists(step, min_size=len(found), max_size=len(found)).map(
        lambda rest: [{"weight": weight, **each} for weight, each in zip(found, rest, strict=True)]
    )
)
clock = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))
windows = st.lists(
    st.fixed_dictionaries(
        {
            "days": st.lists(st.sampled_from(calendar.DAYS), min_size=1, max_size=8),
            "from": clock | st.sampled_from(["9:00", "24:00"]),
            "to": clock | st.just("24:00"),
        }
    ),
    max_size=3,
)
fraction = st.decimals(0, 1, places=4)
rise = st.decimals(0, Decimal("99.9999"), places=4)
policies = st.fixed_dictionaries(
    {
        "automation": st.sampled_from(
            ["", "never", "on_request", "near_retirement", "after_gates"]
        ),
        "steps_allowed": st.none()
        | st.lists(st.sampled_from(["revision", "snapshot", "minor", "major"]), unique=True),
        "minimum_improvement": st.none() | fraction,
        "max_error_rise": st.none() | fraction,
        "max_tool_call_error_rise": st.none() | fraction,
        "max_error_times": st.none() | st.decimals(1, Decimal("99.9999"), places=4),
        "max_latency_rise": st.none() | rise,
        "max_cost_rise": st.none() | rise,
        "unsure_limits_pass": st.none() | st.booleans(),
        "minimum_age_days": st.none() | st.integers(0, 999),
        "required_suites": st.sampled_from([None, []]),
        "unsure_tests": st.sampled_from(["", "asks", "passes", "fails"]),
        "canary_steps": st.none() | steps,
        "canary_asks": st.sampled_from(["", "not_worse", "better", "no_harm"]),
        "windows": st.none() | windows,
        "time_zone": st.sampled_from(["", "UTC", "Europe/Prague", "EST5EDT"]),
        "watch_days": st.none() | st.integers(0, 365),
    }
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(policies)
def test_every_policy_is_shown_in_fields_and_saved_unchanged(
    operator: Client, given: dict[str, Any]
) -> None:
    Policy.objects.all().delete()
    policy = Policy(**given)
    policy.full_clean()
    policy.save()
    policy.refresh_from_db()
    before = settings_of(policy)
    sent = shown(operator, policy)
    answer = operator.post(change(policy), sent)
    assert answer.status_code == 302, errors(answer)
    policy.refresh_from_db()
    assert settings_of(policy) == before
    assert 'name="canary_steps-as"' not in str(sent)


@pytest.mark.parametrize(
    ("typed", "field", "says"),
    [
        ({"canary_steps-0-weight": "lots"}, "weight", "Write a number, such as 5."),
        ({"canary_steps-0-weight": "0"}, "weight", "over 0 and up to 100 %"),
        ({"canary_steps-0-weight": "101"}, "weight", "Write 100 at most."),
        ({"canary_steps-1-weight": "5"}, "weight", "more than the 5 % before"),
        ({"canary_steps-1-weight": "", "canary_steps-1-samples": "9"}, "weight", "Write a share"),
        ({"canary_steps-0-hours": "soon"}, "hours", "such as 24"),
        ({"canary_steps-0-samples": "2.5"}, "samples", "whole number"),
        ({"canary_steps-0-deadline": "1"}, "deadline", "longer than the step is held for"),
        ({"windows-0-days": []}, "days", "Tick at least one day."),
        ({"windows-0-start": "nine"}, "start", "such as 09:00"),
        ({"windows-0-end": "25:00"}, "end", "such as 09:00"),
    ],
)
def test_a_wrong_value_is_told_at_its_field_and_kept(
    operator: Client, typed: dict[str, Any], field: str, says: str
) -> None:
    policy = Policy.objects.create(
        canary_steps=[{"weight": 5, "hours": 24}, {"weight": 50, "samples": 500}],
        windows=[{"days": ["mon"], "from": "09:00", "to": "16:00"}],
    )
    answer = operator.post(change(policy), {**shown(operator, policy), **typed})
    (name,) = errors(answer)
    row = next(
        r for r in answer.context["adminform"].form[name].value().rows if r.prefix in str(typed)
    )
    answer_text = text(answer)
    assert name in ("canary_steps", "windows")
    assert answer_text.count(says) == 1
    assert field in row.fields
    again = controls(answer_text, FORM)
    for key, value in typed.items():
        assert (again.get(key) or [""]) == ([value] if value else [""])


@pytest.mark.parametrize(
    ("typed", "field", "says"),
    [
        ({"minimum_improvement": "a lot"}, "minimum_improvement", "Write a number"),
        ({"minimum_improvement": "101"}, "minimum_improvement", "Write 100 at most"),
        ({"max_latency_rise": "x"}, "max_latency_rise", "Write a number"),
        ({"max_latency_rise": "9900.5"}, "max_latency_rise", "tick “no limit”"),
        (
            {"max_latency_rise": "20", "max_latency_rise_none": "on"},
            "max_latency_rise",
            "not both",
        ),
        ({"max_error_times": "0.5"}, "max_error_times", "1"),
        ({"time_zone": "Mars/Olympus"}, "time_zone", "is no time zone"),
    ],
)
def test_a_quantity_that_can_not_be_is_told_at_its_field(
    operator: Client, typed: dict[str, str], field: str, says: str
) -> None:
    answer = operator.post(ADD, typed)
    assert says in str(errors(answer)[field])
    again = typed_into(answer)
    assert again[field] == [typed[field]]


class TestButtons:
    """Rows are added, sorted and removed without storing anything, with JavaScript or without."""

    @pytest.fixture
    def policy(self, db: None) -> Policy:
        return Policy.objects.create(
            canary_steps=[{"weight": 5, "hours": 24}, {"weight": 50, "samples": 500}]
        )

    def press(self, client: Client, policy: Policy, button: str, **typed: Any) -> dict[str, Any]:
        sent = {**shown(client, policy), **typed, "_rows": button}
        answer = client.post(change(policy), sent)
        assert answer.status_code == 200
        assert errors(answer) == {}
        again = typed_into(answer)
        policy.refresh_from_db()
        assert len(policy.canary_steps) == 2
        return again

    def test_add(self, operator: Client, policy: Policy) -> None:
        again = self.press(operator, policy, "canary_steps:add", **{"watch_days": "odd"})
        assert again["canary_steps-row"] == ["0", "1", "2"]
        assert again["watch_days"] == ["odd"]
        again |= {"canary_steps-2-weight": ["75"], "watch_days": ["9"]}
        assert operator.post(change(policy), again).status_code == 302
        policy.refresh_from_db()
        assert policy.canary_steps[2] == {"weight": 75}

    def test_an_empty_row_is_no_step(self, operator: Client, policy: Policy) -> None:
        again = self.press(operator, policy, "canary_steps:add")
        assert operator.post(change(policy), again).status_code == 302
        policy.refresh_from_db()
        assert len(policy.canary_steps) == 2

    def test_remove(self, operator: Client, policy: Policy) -> None:
        again = self.press(operator, policy, "canary_steps:remove:0")
        operator.post(change(policy), again)
        policy.refresh_from_db()
        assert policy.canary_steps == [{"weight": 50, "samples": 500}]

    @pytest.mark.parametrize("button", ["canary_steps:up:1", "canary_steps:down:0"])
    def test_sort(self, operator: Client, policy: Policy, button: str) -> None:
        again = self.press(operator, policy, button)
        assert again["canary_steps-row"] == ["1", "0"]
        answer = operator.post(change(policy), again)
        assert "more than the 50 % before" in text(answer)

    def test_as_json_and_back(self, operator: Client, policy: Policy) -> None:
        again = self.press(operator, policy, "canary_steps:json", **{"canary_steps-0-weight": "7"})
        assert '"weight": 7' in again["canary_steps"][0]
        again["canary_steps"] = ['[{"weight": 8}]']
        answer = operator.post(change(policy), {**again, "_rows": "canary_steps:fields"})
        back = typed_into(answer)
        assert back["canary_steps-0-weight"] == ["8"]
        assert operator.post(change(policy), again).status_code == 302
        policy.refresh_from_db()
        assert policy.canary_steps == [{"weight": 8}]

    def test_what_is_no_json_stays_with_its_error(self, operator: Client, policy: Policy) -> None:
        sent = {**shown(operator, policy), "canary_steps-as": "json", "canary_steps": '[{"weight"'}
        back = text(operator.post(change(policy), {**sent, "_rows": "canary_steps:fields"}))
        assert "This is no JSON" in back
        assert controls(back, FORM)["canary_steps"] == ['[{"weight"']
        answer = operator.post(change(policy), sent)
        assert "This is no JSON" in str(errors(answer)["canary_steps"])
        sent["canary_steps"] = '[{"weight": 900}]'
        answer = operator.post(change(policy), sent)
        assert "weight must be from 0 to 100" in str(errors(answer)["canary_steps"])

    @pytest.mark.parametrize(
        "button", ["", ":", "no:add", "canary_steps:up:77", "canary_steps:fly:0"]
    )
    def test_a_button_that_is_not_there_changes_nothing(
        self, operator: Client, policy: Policy, button: str
    ) -> None:
        assert self.press(operator, policy, button) == shown(operator, policy)


class TestPresets:
    @pytest.mark.parametrize("name", PRESETS)
    def test_a_button_fills_the_form_in(self, operator: Client, name: str) -> None:
        answer = operator.post(
            ADD, {"_preset": name, "time_zone": "Europe/Prague", "buffer_days": "x"}
        )
        filled = typed_into(answer)
        assert Policy.objects.count() == 0
        assert filled["time_zone"] == ["Europe/Prague"]
        assert operator.post(ADD, filled).status_code == 302
        policy = Policy.objects.get()
        preset = PRESETS[name].settings
        assert {key: getattr(policy, key) for key in preset} == preset

    @pytest.mark.parametrize("name", PRESETS)
    def test_an_address_fills_it_in(self, operator: Client, name: str) -> None:
        filled = controls(text(operator.get(ADD, {"preset": name})), FORM)
        operator.post(ADD, filled)
        assert Policy.objects.get().canary_steps == PRESETS[name].settings["canary_steps"]

    def test_the_words_of_normal(self, operator: Client) -> None:
        page = text(operator.get(ADD, {"preset": "normal"}))
        assert (
            "Goes by itself at night on weekdays (22:00 to 06:00), UTC time, after 5 % for a day, "
            "then 50 % for 7 days and 500 samples." in page
        )


class TestPreview:
    preview = "/admin/versioning/policy/preview/"

    def test_it_says_what_is_typed_and_what_can_not_be_read(self, operator: Client) -> None:
        sent = {
            "automation": "after_gates", "canary_steps-set": "these", "canary_steps-row": ["0"],
            "canary_steps-0-weight": "5", "canary_steps-0-hours": "1",
            "canary_steps-0-hours_unit": "days", "watch_days": "many",
        }  # fmt: skip
        said = text(operator.post(self.preview, sent))
        assert "Goes by itself, after 5 % for a day." in said
        assert "it can't be read: Watch period, days." in said
        assert Policy.objects.count() == 0

    def test_what_is_left_empty_comes_from_above_with_its_name(self, operator: Client) -> None:
        Policy.objects.create(watch_days=21)
        said = text(operator.post(self.preview, {"tracked_model": tracked(name="w").pk}))
        assert "Watched for 21 days" in said
        assert "policy of everything" in said

    def test_a_viewer_has_none(self, viewer: Client) -> None:
        assert viewer.post(self.preview, {}).status_code == 403


class TestModelPage:
    """What holds for a model is read on its page, with what would happen now."""

    def test_its_policy_in_words_with_whose_it_is(
        self, viewer: Client, record: UpgradeRecord
    ) -> None:
        Policy.objects.create(watch_days=21)
        Policy.objects.create(
            tracked_model=record.tracked_model, automation="after_gates", canary_steps=[]
        )
        page = text(
            viewer.get(
                reverse("admin:versioning_trackedmodel_change", args=[record.tracked_model_id])
            )
        )
        assert "Goes by itself, without tests or a canary." in page
        assert "Watched for 21 days" in page
        assert "policy of everything" in page
        assert "built in" in page

    def test_what_would_happen_now(self, viewer: Client, record: UpgradeRecord) -> None:
        Policy.objects.create(automation="never")
        now = reverse("admin:versioning_trackedmodel_now", args=[record.tracked_model_id])
        page = text(viewer.get(now))
        assert "Once it is approved, 1.1.0 is made current at once." in page
        assert "Its policy lets nothing go by itself: staff decide." in page
        assert "(policy of everything)" in page

    def test_nothing_would(self, viewer: Client) -> None:
        model = tracked(name="quiet")
        now = reverse("admin:versioning_trackedmodel_now", args=[model.pk])
        assert "no newer version is recommended" in text(viewer.get(now))
        assert viewer.get(now.replace(str(model.pk), "99999")).status_code == 404


def test_a_policy_of_its_own_that_sets_nothing_is_the_one_that_a_model_s_page_leads_to(
    operator: Client, record: UpgradeRecord
) -> None:
    empty = Policy.objects.create(tracked_model=record.tracked_model)
    model = reverse("admin:versioning_trackedmodel_change", args=[record.tracked_model_id])

    page = text(operator.get(model))

    assert reverse("admin:versioning_policy_change", args=[empty.pk]) in page
    assert "Give it a policy of its own" not in page
