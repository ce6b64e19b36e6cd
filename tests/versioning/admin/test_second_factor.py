"""The second factor: nobody who has signed in by half gets anywhere, and each code counts once."""

import logging
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.core import mail
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.db import connections
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from tests.factories import ApiKeyFactory, UserFactory, tracked
from tests.totp import code_of
from tests.versioning.admin.pages import text
from versioning import tasks
from versioning.models import Event, RecoveryCode, SecondFactor
from versioning.models.groups import sync_groups
from versioning.services import second_factors, vault

pytestmark = pytest.mark.django_db

PAGE = reverse("admin:auth_user_second_factor")
LOG_IN = reverse("admin:login")
INBOX = reverse("admin:index")
PASSWORD = "correct horse battery"
HERE, ELSEWHERE = "203.0.113.7", "203.0.113.8"
TRIES = 10


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    """At the beginning of a span of thirty seconds; a test moves it on."""
    with time_machine.travel("2026-03-01T12:00:00Z", tick=False) as moment:
        yield moment


@pytest.fixture
def ada() -> User:
    sync_groups()
    user = UserFactory(username="ada", is_staff=True, email="ada@example.com")
    user.set_password(PASSWORD)
    user.save()
    user.groups.add(Group.objects.get(name="reviewer"))
    return user


@pytest.fixture
def boss() -> Client:
    """Somebody who may do everything, signed in with a second factor where one is asked for."""
    client = Client()
    client.force_login(User.objects.create_superuser("root", "root@example.com", PASSWORD))
    return client


def signed_in(*, address: str = HERE, name: str = "ada") -> Client:
    """Return a browser in which the password was right."""
    client = Client(REMOTE_ADDR=address)
    fields = {"username": name, "password": PASSWORD, "next": INBOX}
    assert client.post(LOG_IN, fields).status_code == 302
    return client


def now() -> float:
    return timezone.now().timestamp()


def enrol(client: Client) -> tuple[str, list[str]]:
    """Switch it on through its page; return the secret and the recovery codes."""
    page = client.get(PAGE).content.decode()
    secret = re.search(r"data-secret>([A-Z2-7 ]+)<", page)[1]  # type: ignore[index]
    answer = client.post(PAGE, {"code": code_of(secret, at=now())})
    codes = re.findall(r"<li>([A-Z0-9]{4}(?:-[A-Z0-9]{4}){3})</li>", answer.content.decode())
    assert len(codes) == second_factors.CODES, text(answer)
    return secret, codes


@pytest.fixture
def secret(ada: User, clock: time_machine.Traveller) -> str:
    """Ada's, whose second factor is on; half a minute later, so that a code of it is new."""
    found, _ = enrol(signed_in())
    clock.shift(30)
    return found


def give(client: Client, code: str, **more: str) -> HttpResponse:
    return client.post(PAGE, {"code": code, **more})


def is_in(client: Client) -> bool:
    return client.get(INBOX).status_code == 200


class TestSigningIn:
    def test_without_one_the_password_is_enough(self, ada: User) -> None:
        assert is_in(signed_in())

    def test_with_one_the_password_leads_to_the_question(self, secret: str) -> None:
        client = signed_in()

        page = client.get(reverse("admin:versioning_trackedmodel_changelist"), follow=True)

        assert page.redirect_chain[-1][0].startswith(PAGE)
        assert "Give the code that the app on your phone shows" in text(page)
        assert INBOX not in re.findall('href="(.*?)"', page.content.decode())  # no menu
        answer = give(client, code_of(secret, at=now()), next=page.context["next"])
        assert answer["Location"] == reverse("admin:versioning_trackedmodel_changelist")
        assert is_in(client)

    def test_it_leads_nowhere_else(self, secret: str) -> None:
        answer = give(signed_in(), code_of(secret, at=now()), next="https://evil.example.com/")

        assert answer["Location"] == INBOX

    def test_a_wrong_code_is_told(self, secret: str) -> None:
        client = signed_in()
        for wrong in ("000000", "", "12345", "1234567", "abcdef", "１２３４５６", "\0", "9" * 200):
            assert give(client, wrong).status_code == 200
            assert not is_in(client)

    def test_a_clock_that_is_half_a_minute_off_is_let_in(self, secret: str) -> None:
        for seconds in (-30, 30):
            SecondFactor.objects.update(last_step=0)
            client = signed_in()
            give(client, code_of(secret, at=now() + seconds))
            assert is_in(client)
        for seconds in (-90, 90):
            SecondFactor.objects.update(last_step=0)
            client = signed_in()
            give(client, code_of(secret, at=now() + seconds))
            assert not is_in(client)

    def test_a_code_counts_once(self, secret: str) -> None:
        code = code_of(secret, at=now())
        first, second = signed_in(), signed_in()
        give(first, code)

        answer = give(second, code)

        assert is_in(first)
        assert "used already" in text(answer)
        assert not is_in(second)

    def test_the_code_that_switched_it_on_signs_nobody_in(self, ada: User) -> None:
        secret, _ = enrol(signed_in())
        client = signed_in()
        give(client, code_of(secret, at=now()))
        assert not is_in(client)

    def test_each_recovery_code_counts_once_however_it_is_typed(self, ada: User) -> None:
        _, codes = enrol(signed_in())
        for typed in (codes[0], codes[1].lower().replace("-", " "), codes[2].replace("-", "")):
            client = signed_in()
            give(client, typed)
            assert is_in(client)
            again = signed_in()
            give(again, typed)
            assert not is_in(again)

    def test_another_sign_in_of_a_session_is_asked_anew(self, secret: str) -> None:
        client = signed_in()
        give(client, code_of(secret, at=now()))
        assert is_in(client)

        client.post(LOG_IN, {"username": "ada", "password": PASSWORD, "next": INBOX})

        assert not is_in(client)

    def test_a_session_from_before_is_asked(self, ada: User) -> None:
        before = signed_in()
        assert is_in(before)
        enrol(signed_in())
        assert not is_in(before)

    def test_it_gets_another_session_key(self, secret: str) -> None:
        client = signed_in()
        by_half = client.session.session_key
        give(client, code_of(secret, at=now()))
        assert client.session.session_key != by_half

    def test_who_has_signed_in_by_half_can_log_out(self, secret: str) -> None:
        client = signed_in()
        client.post(reverse("admin:logout"))
        assert "_auth_user_id" not in client.session


class TestGuessing:
    def guess(self, *, address: str = HERE, times: int = TRIES) -> HttpResponse:
        """Guess, signing in anew before each: a right password forgives no wrong code."""
        for _ in range(times):
            answer = give(signed_in(address=address), "000000")
        return answer

    def test_it_ends_even_with_the_right_code(
        self, secret: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.WARNING):
            answer = self.guess()
        assert answer.status_code == 429
        assert answer["Retry-After"] == "900"
        assert "none is looked at for 15 minutes" in text(answer)
        assert "Too many wrong codes as 'ada'" in caplog.text

        client = signed_in()

        assert give(client, code_of(secret, at=now())).status_code == 429
        assert not is_in(client)

    def test_it_is_counted_wherever_it_comes_from(self, secret: str) -> None:
        self.guess(times=TRIES - 1)
        assert self.guess(address=ELSEWHERE, times=1).status_code == 429

    def test_it_ends_by_itself(self, secret: str, clock: time_machine.Traveller) -> None:
        self.guess()
        clock.shift(15 * 60)
        client = signed_in()
        give(client, code_of(secret, at=now()))
        assert is_in(client)

    def test_a_few_slips_do_no_harm(self, secret: str, clock: time_machine.Traveller) -> None:
        for _ in range(3):
            self.guess(times=TRIES - 1)
            client = signed_in()
            give(client, code_of(secret, at=now()))
            assert is_in(client)
            clock.shift(30)

    def test_the_person_is_told(self, secret: str) -> None:
        self.guess()
        tasks.deliver_events()
        assert "gave too many wrong codes" in mail.outbox[-1].body
        assert mail.outbox[-1].to == ["ada@example.com"]


class TestSettingUp:
    def test_the_page_shows_what_the_app_needs(self, ada: User) -> None:
        page = signed_in().get(PAGE).content.decode()

        assert "<svg" in page
        assert ' style="' not in page
        assert "http://www.w3.org/2000/svg" in page or "xmlns" not in page
        assert "<img" not in page[page.index("<main") :]

    def test_it_takes_a_right_code(self, ada: User) -> None:
        client = signed_in()
        client.get(PAGE)
        assert "This is not the code" in text(give(client, "000000"))
        assert not SecondFactor.objects.exists()
        assert is_in(signed_in())

    def test_a_page_that_is_loaded_again_shows_the_same_secret(self, ada: User) -> None:
        client = signed_in()
        shown = [re.search("data-secret>(.*?)<", client.get(PAGE).content.decode()) for _ in "ab"]
        assert shown[0][1] == shown[1][1]  # type: ignore[index]

    def test_nothing_of_it_is_kept_in_clear(self, ada: User) -> None:
        client = signed_in()
        page = client.get(PAGE).content.decode()
        shown = re.search(r"data-secret>([A-Z2-7 ]+)<", page)[1].replace(" ", "")  # type: ignore[index]
        assert shown not in str(dict(client.session.items()))
        secret, codes = enrol(client)
        factor = SecondFactor.objects.get()
        plain = secret.replace(" ", "")
        assert plain not in str(vars(factor))
        assert vault.decrypt(factor.kept_secret) == plain
        kept = str([vars(each) for each in RecoveryCode.objects.all()])
        assert not [code for code in codes if code in kept or code.replace("-", "") in kept]
        assert plain not in str(dict(client.session.items()))
        history = str([vars(each) for each in SecondFactor.history.all()])
        assert plain not in history
        assert factor.kept_secret not in history

    def test_without_a_key_for_secrets_the_page_says_so(self, ada: User, settings: Any) -> None:
        settings.HOTSWAP = {**settings.HOTSWAP, "SECRETS_KEYS": []}
        assert "HOTSWAP_SECRETS_KEY is not set" in text(signed_in().get(PAGE))

    def test_it_is_reached_from_the_menu(self, ada: User) -> None:
        assert f'href="{PAGE}"' in signed_in().get(INBOX).content.decode()

    def test_new_recovery_codes_end_the_former_ones(self, secret: str) -> None:
        client = signed_in()
        give(client, code_of(secret, at=now()))
        former = set(RecoveryCode.objects.values_list("hashed", flat=True))
        with time_machine.travel(timezone.now() + timedelta(seconds=30)):
            assert "used already" not in text(give(client, code_of(secret, at=now()), do="codes"))
        assert not former & set(RecoveryCode.objects.values_list("hashed", flat=True))


class TestSwitchingOff:
    def test_it_takes_a_code(self, secret: str, clock: time_machine.Traveller) -> None:
        client = signed_in()
        give(client, code_of(secret, at=now()))
        give(client, "000000", do="off")
        assert SecondFactor.objects.exists()
        clock.shift(30)
        give(client, code_of(secret, at=now()), do="off")
        assert not SecondFactor.objects.exists()
        assert is_in(signed_in())

    def test_a_new_password_takes_a_code(self, secret: str, clock: time_machine.Traveller) -> None:
        client = signed_in()
        give(client, code_of(secret, at=now()))
        clock.shift(30)
        page, new = reverse("admin:password_change"), "another horse battery"
        fields = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
        assert "id_code" in client.get(page).content.decode()
        for wrong in ({}, {"code": "000000"}):
            assert client.post(page, {**fields, **wrong}).status_code == 200
        code = {"code": code_of(secret, at=now())}
        slip = client.post(page, {**fields, **code, "new_password2": "another"})
        assert slip.status_code == 200  # and the code is not used up by it
        assert client.post(page, {**fields, **code}).status_code == 302
        assert User.objects.get(username="ada").check_password(new)
        assert is_in(client)

    def test_without_one_a_new_password_takes_none(self, ada: User) -> None:
        client, new = signed_in(), "another horse battery"
        fields = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
        assert client.post(reverse("admin:password_change"), fields).status_code == 302

    def test_no_page_changes_one_s_own_password_past_it(self, boss: Client) -> None:
        own = User.objects.get(username="root")
        answer = boss.post(
            reverse("admin:auth_user_password_change", args=[own.pk]),
            {"password1": "another horse battery", "password2": "another horse battery"},
        )
        assert answer["Location"] == reverse("admin:password_change")
        own.refresh_from_db()
        assert own.check_password(PASSWORD)

    def test_a_password_that_somebody_else_sets_leaves_it_on(
        self, secret: str, boss: Client, ada: User
    ) -> None:
        client = signed_in()
        give(client, code_of(secret, at=now()))
        fields = {"password1": PASSWORD + "!", "password2": PASSWORD + "!"}
        page = reverse("admin:auth_user_password_change", args=[ada.pk])
        assert boss.post(page, fields).status_code == 302
        assert not is_in(client)
        client.post(LOG_IN, {"username": "ada", "password": PASSWORD + "!", "next": INBOX})
        assert not is_in(client)


class TestLosingThePhone:
    def page(self, user: User) -> str:
        return reverse("admin:auth_user_reset_second_factor", args=[user.pk])

    def test_who_may_do_everything_resets_it_with_a_reason(
        self, secret: str, boss: Client, ada: User
    ) -> None:
        shown = boss.get(reverse("admin:auth_user_change", args=[ada.pk])).content.decode()
        assert self.page(ada) in shown
        assert "stays in the history" in text(boss.post(self.page(ada), {"reason": ""}))
        assert SecondFactor.objects.exists()

        boss.post(self.page(ada), {"reason": "Lost at sea."})

        assert is_in(signed_in())
        said = LogEntry.objects.filter(object_id=str(ada.pk), user__username="root").latest("pk")
        assert "Lost at sea." in said.change_message
        last = SecondFactor.history.latest()
        assert (last.history_type, last.off_reason) == ("-", "Lost at sea.")
        assert last.history_change_reason == "staff: root"
        tasks.deliver_events()
        assert mail.outbox[-1].to == ["ada@example.com"]
        assert "root reset the second factor of ada: Lost at sea." in mail.outbox[-1].body

    def test_nobody_else_does(self, secret: str, ada: User) -> None:
        other = UserFactory(is_staff=True)
        other.groups.add(Group.objects.get(name="operator"))
        client = Client()
        client.force_login(other)
        assert client.post(self.page(ada), {"reason": "Mine."}).status_code == 403

    def test_nobody_resets_their_own(self, boss: Client) -> None:
        own = User.objects.get(username="root")
        assert boss.post(self.page(own), {"reason": "Mine."}).status_code == 403

    def test_by_command(self, secret: str) -> None:
        with pytest.raises(CommandError, match="nobody called bo"):
            call_command("reset_second_factor", "bo", "--reason", "x")
        call_command("reset_second_factor", "ada", "--reason", "Lost at sea.")
        assert is_in(signed_in())
        assert SecondFactor.history.latest().history_change_reason == "command: command line"
        assert Event.objects.latest("pk").payload["reason"] == "Lost at sea."
        with pytest.raises(CommandError, match="switched off"):
            call_command("reset_second_factor", "ada", "--reason", "Again.")

    def test_a_factor_that_came_after_is_asked_for_where_the_former_was_given(
        self, secret: str, clock: time_machine.Traveller
    ) -> None:
        before = signed_in()
        give(before, code_of(secret, at=now()))
        call_command("reset_second_factor", "ada", "--reason", "x")
        assert is_in(before)
        enrol(signed_in())
        assert not is_in(before)


@pytest.fixture
def required(settings: Any) -> None:
    settings.HOTSWAP = {**settings.HOTSWAP, "SECOND_FACTOR": "required"}


@pytest.mark.usefixtures("required")
class TestRequired:
    def test_who_may_more_than_look_sets_one_up_first(self, ada: User) -> None:
        client = signed_in()
        assert not is_in(client)
        page = client.get(INBOX, follow=True)
        assert "Set up your second factor" in text(page)
        secret, _ = enrol(client)
        assert is_in(client)
        again = signed_in()
        assert not is_in(again)

    def test_a_session_from_before_it_was_required_is_asked(self, ada: User, settings: Any) -> None:
        settings.HOTSWAP = {**settings.HOTSWAP, "SECOND_FACTOR": "optional"}
        client = signed_in()
        assert is_in(client)
        settings.HOTSWAP = {**settings.HOTSWAP, "SECOND_FACTOR": "required"}
        assert not is_in(client)

    def test_it_can_not_be_switched_off(self, ada: User, clock: time_machine.Traveller) -> None:
        client = signed_in()
        secret, _ = enrol(client)
        clock.shift(30)
        answer = give(client, code_of(secret, at=now()), do="off")
        assert "needs a second factor" in text(answer)
        assert SecondFactor.objects.exists()

    @pytest.mark.parametrize(
        ("group", "is_asked"),
        [("viewer", False), ("reviewer", True), ("operator", True), ("emergency", True)],
    )
    def test_of_whom(self, group: str, is_asked: bool) -> None:
        sync_groups()
        user = UserFactory(username="bo", is_staff=True, password="")
        user.set_password(PASSWORD)
        user.save()
        user.groups.add(Group.objects.get(name=group))
        assert is_in(signed_in(name="bo")) != is_asked

    def test_where_nobody_is_asked_the_check_before_deployment_warns(self, settings: Any) -> None:
        def told() -> list[str]:
            found = run_checks(include_deployment_checks=True)
            return [each.id or "" for each in found if each.id == "versioning.W002"]

        assert told() == []
        settings.HOTSWAP = {**settings.HOTSWAP, "LOCAL_PASSWORDS": False}
        assert told() == ["versioning.W002"]
        settings.HOTSWAP = {**settings.HOTSWAP, "SECOND_FACTOR_AFTER_SSO": True}
        assert told() == []

    def test_a_reset_asks_for_another(self, ada: User) -> None:
        client = signed_in()
        enrol(client)
        call_command("reset_second_factor", "ada", "--reason", "x")
        assert not is_in(client)
        assert "Set up your second factor" in text(client.get(INBOX, follow=True))


class TestSingleSignOn:
    """What config/sso.py leaves in a session; a real identity provider is in tests/sso."""

    def test_it_is_not_asked_twice(self, secret: str, ada: User, settings: Any) -> None:
        client = Client()
        client.force_login(ada)
        assert not is_in(client)
        session = client.session
        session[second_factors.BY_SSO] = True
        session.save()
        assert is_in(client)
        assert f'href="{PAGE}"' not in client.get(INBOX).content.decode()
        settings.HOTSWAP = {**settings.HOTSWAP, "SECOND_FACTOR_AFTER_SSO": True}
        assert not is_in(client)

    def test_a_password_in_its_session_is_asked(self, secret: str, ada: User) -> None:
        client = Client()
        client.force_login(ada)
        session = client.session
        session[second_factors.BY_SSO] = True
        session.save()
        client.post(LOG_IN, {"username": "ada", "password": PASSWORD, "next": INBOX})
        assert not is_in(client)


def test_keys_are_asked_nothing(secret: str) -> None:
    tracked()
    key = ApiKeyFactory()
    client = signed_in()
    headers = {"Authorization": f"Bearer {key.secret}"}
    assert client.get("/api/tracked-models", headers=headers).status_code == 200
    assert client.get("/api/tracked-models").status_code == 401


def leaves(resolver: URLResolver, before: str = "/") -> Iterator[tuple[str, str]]:
    """Return the address of every route there is, named or not, and its name."""
    for each in resolver.url_patterns:
        part = re.sub(r"<(?:(\w+):)?\w+>", _filled, str(each.pattern))
        part = re.sub(r"\(\?P<\w+>[^)]*\)|[\^$\\]", "1", part) if "(?P" in part else part
        if isinstance(each, URLResolver):
            yield from leaves(each, before + part)
        elif isinstance(each, URLPattern):
            yield before + part, each.name or ""


def _filled(found: "re.Match[str]") -> str:
    return "auth" if found[0] == "<app_label>" else "1"


DIFFERS = {"/admin/login/", PAGE, reverse("admin:logout")}


@pytest.mark.parametrize("method", ["get", "post", "patch", "delete"])
def test_who_has_signed_in_by_half_is_a_stranger_everywhere(
    secret: str, boss: Client, method: str
) -> None:
    """Every route answers as to nobody, but for the second factor's own page and the log-out."""
    tracked(name="secret-model")
    User.objects.filter(username="ada").update(is_superuser=True)
    by_half, stranger, told = signed_in(), Client(), 0
    for client in (by_half, stranger):
        client.raise_request_exception = False
    everywhere = dict(leaves(get_resolver()))
    assert len(everywhere) > 300
    for address in everywhere:
        other_spelling = address.startswith("/api/v1/") or address.endswith("/")
        if address in DIFFERS or (method != "get" and "/api/" in address and other_spelling):
            continue
        mine, theirs = (getattr(each, method)(address) for each in (by_half, stranger))
        assert mine.status_code == theirs.status_code, address
        assert mine.get("Location") == theirs.get("Location"), address
        if not mine.streaming:
            assert b"secret-model" not in mine.content, address
        told += mine.status_code in (302, 401, 403)
    assert told > 100
    assert not is_in(by_half)
    assert by_half.session["_auth_user_id"]


@pytest.mark.django_db(transaction=True)
def test_of_two_with_one_code_one_is_let_in(ada: User, clock: time_machine.Traveller) -> None:
    secret, codes = enrol(signed_in())
    for code in (codes[0], code_of(secret, at=now() + 30)):
        clock.shift(30)
        clients, both = [signed_in() for _ in range(2)], Barrier(2)

        def race(client: Client, code: str = code, both: Barrier = both) -> int:
            try:
                both.wait(timeout=10)
                return give(client, code).status_code
            finally:
                connections.close_all()

        with ThreadPoolExecutor(2) as pool:
            answers = sorted(pool.map(race, clients))
        assert answers == [200, 302]
        assert [is_in(each) for each in clients].count(True) == 1
