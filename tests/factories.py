"""Small rows for tests; each has just what the database asks for."""

import datetime as dt

import factory
from django.contrib.auth import get_user_model

from providers.models import Provider
from versioning.models import ApiKey, ModelVersion, TrackedModel, UpgradeRecord
from versioning.services.actors import Actor
from versioning.services.upgrades import moves

NOW = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.UTC)


class UserFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = get_user_model()

    username = factory.Sequence(lambda n: f"user{n}")


class ProviderFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Provider

    slug = factory.Sequence(lambda n: f"provider{n}")
    name = factory.SelfAttribute("slug")
    kind = "openai"
    base_url = "http://127.0.0.1:9/v1"

    @classmethod
    def _create(cls, model_class: type[Provider], *args: object, **kwargs: object) -> Provider:
        """Its key, if it has one, is released for its address, as by whoever adds one."""
        row = model_class(*args, **kwargs)
        row.release_key()
        row.save()
        return row


class TrackedModelFactory(factory.django.DjangoModelFactory):
    """A tracked model without a version; ``tracked`` makes one that is in use."""

    class Meta:
        model = TrackedModel

    provider = factory.SubFactory(ProviderFactory)
    name = factory.Sequence(lambda n: f"model-{n}")


class ModelVersionFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = ModelVersion

    tracked_model = factory.SubFactory(TrackedModelFactory)
    label = factory.Sequence(lambda n: f"{n + 1}.0.0")
    upstream_id = factory.Sequence(lambda n: f"zeta-{n + 1}")


class UpgradeRecordFactory(factory.django.DjangoModelFactory):
    """A recommendation from the current version to a new one."""

    class Meta:
        model = UpgradeRecord

    tracked_model = factory.LazyFunction(lambda: tracked())
    from_version = factory.LazyAttribute(lambda record: record.tracked_model.current_version)
    to_version = factory.LazyAttribute(
        lambda record: ModelVersionFactory(tracked_model=record.tracked_model)
    )
    origin = UpgradeRecord.Origin.DETECTION
    step = UpgradeRecord.Step.MINOR
    recommended_at = NOW
    changed_at = NOW


class ApiKeyFactory(factory.django.DjangoModelFactory):
    """An API key; its secret is ``key.secret``."""

    class Meta:
        model = ApiKey

    name = factory.Sequence(lambda n: f"application {n}")
    scopes = factory.LazyFunction(lambda: list(ApiKey.Scope.values))

    @classmethod
    def _create(cls, model_class: type[ApiKey], *args: object, **kwargs: object) -> ApiKey:
        secret, prefix, hashed = ApiKey.make_secret()
        key = super()._create(model_class, *args, prefix=prefix, hashed=hashed, **kwargs)
        key.secret = secret
        return key


def tracked(*, name: str = "", upstream_id: str = "zeta-1", **kwargs: object) -> TrackedModel:
    """Return a tracked model whose current version is 1.0.0."""
    model = TrackedModelFactory(**({"name": name} if name else {}), **kwargs)
    version = ModelVersionFactory(tracked_model=model, label="1.0.0", upstream_id=upstream_id)
    moves.begin(tracked=model, version=version, actor=Actor.command(), now=NOW)
    model.refresh_from_db()
    return model
