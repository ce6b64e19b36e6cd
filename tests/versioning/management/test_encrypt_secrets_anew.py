"""A key for secrets is changed: what was kept under the former is readable without it."""

from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.apps import apps
from django.core.management import CommandError, call_command

from tests.factories import NOW, UserFactory
from versioning.models import SecondFactor, Webhook
from versioning.services import recipients, resealing, vault, webhooks
from versioning.services.actors import Actor

pytestmark = pytest.mark.django_db


def keys(settings: Any, *names: str) -> None:
    settings.HOTSWAP = {**settings.HOTSWAP, "SECRETS_KEYS": list(names)}


def test_after_it_the_former_key_is_needed_no_more(settings: Any) -> None:
    older, newer = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    keys(settings, older)
    made = webhooks.add(
        fields={"name": "bot", "url": "https://example.com/"}, actor=Actor.command()
    )
    recipients.add(fields={"name": "ops", "url": "slack://a/b/c"}, actor=Actor.command())
    factor = SecondFactor.objects.create(
        user=UserFactory(), kept_secret=vault.encrypt("JBSW"), last_step=0, made_at=NOW
    )
    keys(settings, newer, older)
    history = Webhook.history.count()
    out = StringIO()
    call_command("encrypt_secrets_anew", stdout=out)
    assert "3 secrets" in out.getvalue()
    keys(settings, newer)
    assert vault.decrypt(Webhook.objects.get().secret) == made.secret
    assert vault.decrypt(recipients.all_of_them().get().kept_url) == "slack://a/b/c"
    factor.refresh_from_db()
    assert vault.decrypt(factor.kept_secret) == "JBSW"
    assert Webhook.history.count() == history


def test_a_key_that_is_missing_changes_nothing(settings: Any) -> None:
    keys(settings, Fernet.generate_key().decode())
    recipients.add(fields={"name": "ops", "url": "slack://a/b/c"}, actor=Actor.command())
    kept = recipients.all_of_them().get().kept_url
    keys(settings, Fernet.generate_key().decode())
    with pytest.raises(CommandError, match="another key"):
        call_command("encrypt_secrets_anew")
    assert recipients.all_of_them().get().kept_url == kept


def test_every_column_that_is_encrypted_is_known() -> None:
    """A column that is hidden, of text, and in no history: that is how secrets are kept."""
    found = {
        (model, field.name)
        for model in apps.get_app_config("versioning").get_models()
        for field in model._meta.concrete_fields
        if field.get_internal_type() == "TextField" and not field.editable
    }
    named = {(model, name) for model, names in resealing.KEPT.items() for name in names}
    assert named == {each for each in found if not each[0].__name__.startswith("Historical")}
