"""Signing in: guessing ends, and nobody is locked out by somebody elsewhere."""

import logging
from datetime import timedelta

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

PAGE = reverse("admin:login")
HERE, ELSEWHERE = "203.0.113.7", "203.0.113.8"
TRIES = 10


@pytest.fixture(autouse=True)
def ada() -> None:
    user = UserFactory(username="ada", is_staff=True)
    user.set_password("correct horse battery")
    user.save()


def sign_in(password: str, *, name: str = "ada", address: str = HERE) -> HttpResponse:
    fields = {"username": name, "password": password, "next": reverse("admin:index")}
    return Client(REMOTE_ADDR=address).post(PAGE, fields)


def guess() -> None:
    for number in range(TRIES):
        sign_in(f"guess {number}")


def test_a_few_slips_do_no_harm() -> None:
    for _ in range(3):
        for number in range(TRIES - 1):
            assert sign_in(f"slip {number}").status_code == 200
        assert sign_in("correct horse battery").status_code == 302


def test_guessing_ends_even_with_the_right_password(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        guess()

        answer = sign_in("correct horse battery")

    assert answer.status_code == 429
    assert answer["Retry-After"] == "900"
    page = answer.content.decode()
    assert "Wait 15 minutes, then try again" in page
    assert "<strong>ada</strong>" in page
    assert "correct horse" not in page + caplog.text
    assert "guess 3" not in caplog.text


def test_others_and_other_places_are_let_in() -> None:
    UserFactory(username="bo", is_staff=True)
    guess()

    assert sign_in("correct horse battery", address=ELSEWHERE).status_code == 302
    assert sign_in("wrong", name="bo").status_code == 200


def test_it_ends_by_itself_however_often_it_is_tried_meanwhile() -> None:
    guess()
    now = timezone.now()
    with time_machine.travel(now + timedelta(minutes=14)):
        assert sign_in("correct horse battery").status_code == 429
    with time_machine.travel(now + timedelta(minutes=16)):
        assert sign_in("correct horse battery").status_code == 302
