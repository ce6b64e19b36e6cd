"""What a person asks a list for can be kept under a name, found, shared by its address, deleted."""

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from tests.factories import UserFactory, tracked
from tests.versioning.admin.conftest import recommend
from tests.versioning.admin.pages import text
from versioning.models import SavedFilter
from versioning.services import saved_filters

LIST = "admin:versioning_trackedmodel_changelist"
SAVE = reverse("admin:versioning_upgraderecord_save_filter")


def save(client: Client, name: str, query: str, *, page: str = LIST) -> str:
    posted = {"page": page, "name": name, "query": query}
    return text(client.post(SAVE, posted, follow=True))


@pytest.fixture
def alpha(db: None) -> None:
    tracked(name="alpha")
    tracked(name="beta")


@pytest.mark.usefixtures("alpha")
def test_it_is_offered_kept_and_found_by_its_name(admin_client: Client) -> None:
    asked = text(admin_client.get(reverse(LIST), {"q": "alpha", "p": "1"}))
    assert "Save this filter" in asked

    answer = admin_client.post(
        SAVE, {"page": LIST, "name": " Mine ", "query": "p=1&q=alpha"}, follow=True
    )

    assert "The filter Mine is saved." in text(answer)
    assert answer.request["QUERY_STRING"] == "q=alpha"
    assert "Save this filter" not in text(answer)
    plain = admin_client.get(reverse(LIST)).content.decode()
    assert f'href="{reverse(LIST)}?q=alpha">Mine<' in plain


def test_a_list_that_is_asked_for_nothing_has_nothing_to_save(admin_client: Client) -> None:
    assert "Save this filter" not in text(admin_client.get(reverse(LIST)))


def test_the_inbox_has_its_own(admin_client: Client) -> None:
    recommend(name="late")

    save(admin_client, "No date", "urgency=undated", page="admin:index")

    inbox = admin_client.get(reverse("admin:index")).content.decode()
    assert f'href="{reverse("admin:index")}?urgency=undated">No date<' in inbox
    assert "No date" not in text(admin_client.get(reverse(LIST)))


@pytest.mark.usefixtures("alpha")
def test_a_name_that_is_there_gets_the_new_meaning(admin_client: Client) -> None:
    save(admin_client, "Mine", "q=alpha")
    save(admin_client, "Mine", "q=beta")

    assert [row.query for row in SavedFilter.objects.all()] == ["q=beta"]


@pytest.mark.usefixtures("alpha")
def test_each_person_has_their_own_and_deletes_no_other_s(
    admin_client: Client, client: Client
) -> None:
    save(admin_client, "Mine", "q=alpha")
    kept = SavedFilter.objects.get()
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    forget = reverse("admin:versioning_upgraderecord_forget_filter")

    assert "Mine" not in text(client.get(reverse(LIST)))
    client.post(forget, {"page": LIST, "filter": kept.pk})
    assert SavedFilter.objects.exists()

    admin_client.post(forget, {"page": LIST, "filter": kept.pk})
    assert not SavedFilter.objects.exists()


@pytest.mark.parametrize("page", ["admin:logout", "api-docs", "https://elsewhere.example/", ""])
def test_only_a_list_can_be_named(admin_client: Client, page: str) -> None:
    answer = admin_client.post(SAVE, {"page": page, "name": "x", "query": "q=1"})

    assert answer.status_code == 404
    assert not SavedFilter.objects.exists()


@pytest.mark.parametrize(
    ("name", "query", "said"),
    [
        ("", "q=1", "needs a name"),
        ("x", "p=3", "something that the list is asked for"),
        ("x" * 81, "q=1", "at most 80 characters"),
        ("x", f"q={'1' * 2000}", "at most 2000 characters"),
    ],
)
def test_what_can_t_be_kept_says_why(
    admin_client: Client, name: str, query: str, said: str
) -> None:
    assert said in save(admin_client, name, query)
    assert not SavedFilter.objects.exists()


def test_there_is_an_end_to_them(admin_client: Client) -> None:
    person = get_user_model().objects.get(username="admin").pk
    for n in range(saved_filters.MOST):
        saved_filters.save(user_id=person, page=LIST, name=f"{n}", query="q=1")

    assert "delete one first" in save(admin_client, "one more", "q=1")
