"""Providers, their catalogues, tracked models and rules of lineage."""

from typing import Any

from rest_framework import serializers

from providers import registry
from providers.models import Provider
from versioning.api.serializers.fields import Moment, Paging, RowByName, Shaped
from versioning.api.serializers.versions import VersionNameSerializer
from versioning.models import LineageRule, Team

KINDS = [kind for kind, _ in registry.kinds()]
RULES = list(LineageRule.Kind.values)


class ProviderSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    slug = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.CharField()
    base_url = serializers.CharField(help_text="Empty: the kind's own public address.")
    api_key_env = serializers.CharField(help_text="The variable's name, never the key.")
    key_places = serializers.SerializerMethodField(
        help_text="Where its key would go: scheme, host and port."
    )
    key_released = serializers.SerializerMethodField(
        help_text="False: the key is sent to nobody before somebody releases it for the places."
    )
    options = serializers.DictField(child=serializers.CharField())
    enabled = serializers.BooleanField()
    timeout_seconds = serializers.IntegerField(allow_null=True)
    created_at = Moment()

    def get_key_places(self, provider: Provider) -> list[str]:
        return sorted({pair.split(" ")[1] for pair in provider.key_pairs()})

    def get_key_released(self, provider: Provider) -> bool:
        return not provider.unreleased_pairs()


class KeyRelease(serializers.Serializer[Any]):
    places = serializers.ListField(
        child=serializers.CharField(max_length=600),
        max_length=20,
        help_text="The provider's `key_places`, such as https://api.example.com:443.",
    )


class ProviderChange(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(required=False, choices=KINDS)
    name = serializers.CharField(required=False, max_length=100)
    base_url = serializers.CharField(required=False, allow_blank=True, max_length=500)
    api_key_env = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=128,
        help_text="The name of the environment variable that holds the key.",
    )
    options = serializers.DictField(
        required=False, child=serializers.CharField(max_length=500, allow_blank=True)
    )
    enabled = serializers.BooleanField(required=False)
    timeout_seconds = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=3600
    )


class NewProvider(serializers.Serializer[Any]):
    slug = serializers.SlugField(max_length=50)
    kind = serializers.ChoiceField(choices=KINDS)
    base_url = serializers.CharField(required=False, allow_blank=True, max_length=500)
    api_key_env = serializers.CharField(required=False, allow_blank=True, max_length=128)
    name = serializers.CharField(required=False, allow_blank=True, max_length=100)
    options = serializers.DictField(
        required=False, child=serializers.CharField(max_length=500, allow_blank=True)
    )


class KindSerializer(serializers.Serializer[Any]):
    """A way to speak to a provider."""

    kind = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    default_base_url = serializers.CharField()
    default_key_variable = serializers.CharField()
    needs_key = serializers.BooleanField()
    supports_completion = serializers.BooleanField()


class PresetSerializer(serializers.Serializer[Any]):
    """A known server that the kind openai also speaks to."""

    slug = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    base_url = serializers.CharField()
    key_variable = serializers.CharField()


class KindsSerializer(serializers.Serializer[Any]):
    kinds = KindSerializer(many=True)
    presets = PresetSerializer(many=True)


class ConnectionTestSerializer(serializers.Serializer[Any]):
    ok = serializers.BooleanField()
    sentence = serializers.CharField()
    model_count = serializers.IntegerField()
    duration_ms = serializers.IntegerField(source="ms")


class CatalogueEntrySerializer(serializers.Serializer[Any]):
    """One id that a provider lists."""

    upstream_id = serializers.CharField()
    revision = serializers.CharField()
    facts = Shaped(help_text="What the listing says of it.")
    first_seen_at = Moment()
    last_seen_at = Moment()
    missing_since = Moment(allow_null=True)
    gone_at = Moment(allow_null=True)


class CatalogueQuery(Paging):
    search = serializers.CharField(
        required=False, max_length=200, help_text="A part of the id, in any case."
    )
    gone = serializers.BooleanField(default=False, help_text="Those that are gone, instead.")


class AliasSerializer(serializers.Serializer[Any]):
    """What an id stood for."""

    alias = serializers.CharField()
    target = serializers.CharField()
    since = Moment()
    until = Moment(allow_null=True)


class TrackedModelSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    provider = serializers.CharField(source="provider.slug")
    name = serializers.CharField()
    current_version = VersionNameSerializer(allow_null=True)
    team = serializers.CharField(
        source="team.name",
        allow_null=True,
        default=None,
        help_text="Only its members decide on it.",
    )
    owner = serializers.CharField()
    notes = serializers.CharField()
    active = serializers.BooleanField()
    pinned = serializers.BooleanField()
    pin_reason = serializers.CharField()
    allow_previews = serializers.BooleanField()
    created_at = Moment()


class TrackedModelsQuery(Paging):
    provider = serializers.CharField(required=False, max_length=50)
    search = serializers.CharField(required=False, max_length=200)
    active = serializers.BooleanField(required=False, allow_null=True, default=None)
    pinned = serializers.BooleanField(required=False, allow_null=True, default=None)


class NewTrackedModel(serializers.Serializer[Any]):
    provider = serializers.CharField(max_length=50, help_text="Slug of the provider.")
    name = serializers.CharField(
        max_length=200, help_text="The stable name that applications ask for."
    )
    upstream_id = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=200,
        help_text="What the provider calls it; leave it out where that is the name.",
    )
    owner = serializers.EmailField(required=False, allow_blank=True, default="", max_length=254)
    unlisted = serializers.BooleanField(
        default=False,
        help_text="Track it although the provider doesn't list it, such as the name of a "
        "deployment at Azure.",
    )


class TeamName(RowByName[Team]):
    """A team by its name."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(slug_field="name", queryset=Team.objects.all(), **kwargs)


class TrackedModelChange(serializers.Serializer[Any]):
    team = TeamName(
        required=False,
        allow_null=True,
        help_text="Name of a team; null: whoever has the permission decides.",
    )
    owner = serializers.EmailField(required=False, allow_blank=True, max_length=254)
    notes = serializers.CharField(required=False, allow_blank=True, max_length=20_000)
    active = serializers.BooleanField(required=False)
    pinned = serializers.BooleanField(required=False)
    pin_reason = serializers.CharField(required=False, allow_blank=True, max_length=300)
    allow_previews = serializers.BooleanField(required=False)


class LineageRuleSerializer(serializers.Serializer[Any]):
    """What a person said about successors; it beats the grammar of names."""

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=RULES)
    pattern = serializers.CharField()
    reason = serializers.CharField()
    made_by = serializers.CharField()
    created_at = Moment()


class NewLineageRule(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=RULES)
    pattern = serializers.CharField(
        max_length=200, help_text="An upstream id; for ignore, * and ? stand for other letters."
    )
    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=300)


class LineageRuleChange(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(required=False, choices=RULES)
    pattern = serializers.CharField(required=False, max_length=200)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=300)


class SliceTagFormSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(
        max_length=40, help_text="The name of a tag that your applications send, such as language."
    )


class SliceTagSerializer(serializers.Serializer[Any]):
    """A tag whose values comparisons look at apart: better must not hide worse for one."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    created_at = Moment()


class LeftOutSpansSerializer(serializers.Serializer[Any]):
    """How many spans of traces were left out on a day, and why."""

    id = serializers.IntegerField()
    day = serializers.DateField()
    reason = serializers.CharField()
    spans = serializers.IntegerField()


class UnknownModelSerializer(serializers.Serializer[Any]):
    """A model that samples name and nobody tracks."""

    id = serializers.IntegerField()
    provider = serializers.CharField(source="provider_slug", help_text="Empty if not said.")
    name = serializers.CharField()
    samples = serializers.IntegerField(source="seen")
    first_seen_at = Moment()
    last_seen_at = Moment()
