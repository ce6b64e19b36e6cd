"""Providers: set up, tested, and what they list."""

from rest_framework.response import Response
from rest_framework.serializers import Serializer

from providers import registry
from providers.models import Provider
from versioning.api.operations import ApiView, Asked, operation
from versioning.api.pages import NEWEST_FIRST, OLDEST_FIRST, By, page, page_of
from versioning.api.serializers.fields import Paging
from versioning.api.serializers.setup import (
    AliasSerializer,
    CatalogueEntrySerializer,
    CatalogueQuery,
    ConnectionTestSerializer,
    KeyRelease,
    KindsSerializer,
    NewProvider,
    ProviderChange,
    ProviderSerializer,
)
from versioning.models import ApiKey
from versioning.services import providers


class KindsView(ApiView):
    @operation(
        id="provider_kinds",
        tag="providers",
        summary="The kinds of provider there are",
        answer=KindsSerializer,
        permission="providers.view_provider",
    )
    def get(self, asked: Asked) -> Response:
        """Each speaks one protocol. `presets` are servers that the kind `openai` speaks to."""
        return Response(
            KindsSerializer(
                {"kinds": registry.adapter_classes(), "presets": registry.presets("openai")}
            ).data
        )


class ProvidersView(ApiView):
    @operation(
        id="providers",
        tag="providers",
        summary="The providers that are asked",
        query=Paging,
        answer=page_of(ProviderSerializer),
        permission="providers.view_provider",
    )
    def get(self, asked: Asked) -> Response:
        """Disabled ones included. Keys are never shown: only the names of their variables."""
        return page(asked, Provider.objects.all(), order=OLDEST_FIRST, show=ProviderSerializer)

    @operation(
        id="add_provider",
        tag="providers",
        summary="Add a provider",
        body=NewProvider,
        answer=ProviderSerializer,
        status=201,
        scope=ApiKey.Scope.SETUP,
        permission="providers.add_provider",
    )
    def post(self, asked: Asked) -> Response:
        """The key itself stays in the environment of the server: give its variable's name."""
        added = providers.add(**asked.body, actor=asked.actor)
        where = {"Location": f"/api/providers/{added.slug}"}
        return Response(ProviderSerializer(added).data, status=201, headers=where)


class ProviderView(ApiView):
    @operation(
        id="provider",
        tag="providers",
        summary="One provider",
        answer=ProviderSerializer,
        permission="providers.view_provider",
        problems=(404,),
    )
    def get(self, asked: Asked, *, slug: str) -> Response:
        """How it is asked."""
        return Response(ProviderSerializer(providers.by_slug(slug=slug)).data)

    @operation(
        id="change_provider",
        tag="providers",
        summary="Change a provider",
        body=ProviderChange,
        answer=ProviderSerializer,
        scope=ApiKey.Scope.SETUP,
        permission="providers.change_provider",
        problems=(404,),
    )
    def patch(self, asked: Asked, *, slug: str) -> Response:
        """Only the fields that you send. `enabled: false` stops asking it. With another
        `base_url` its key is sent to nobody before it is released for it."""
        changed = providers.change(slug=slug, changes=asked.body, actor=asked.actor)
        return Response(ProviderSerializer(changed).data)


class KeyReleaseView(ApiView):
    @operation(
        id="release_key",
        tag="providers",
        summary="Let a provider's key go to its address",
        body=KeyRelease,
        answer=ProviderSerializer,
        scope=ApiKey.Scope.SETUP,
        permission="providers.change_provider",
        problems=(404,),
    )
    def post(self, asked: Asked, *, slug: str) -> Response:
        """Needed after its `base_url` or variable was changed, and where the variable serves
        another address already. `places` are its `key_places`, as you have read them."""
        released = providers.release_key(slug=slug, **asked.body, actor=asked.actor)
        return Response(ProviderSerializer(released).data)


class ConnectionTestView(ApiView):
    @operation(
        id="test_connection",
        tag="providers",
        summary="Ask a provider for its list once",
        body=Serializer,
        answer=ConnectionTestSerializer,
        scope=ApiKey.Scope.SETUP,
        permission="providers.change_provider",
        problems=(404, 503),
        asks_others=True,
    )
    def post(self, asked: Asked, *, slug: str) -> Response:
        """Says what came of it; nothing is stored. A failure is 200 with `ok: false`. While others
        wait for their providers it is 503: send it again."""
        tested = providers.test_connection(slug=slug, now=asked.now)
        return Response(ConnectionTestSerializer(tested).data)


class CatalogueView(ApiView):
    @operation(
        id="catalogue",
        tag="providers",
        summary="What a provider lists: what can be tracked",
        query=CatalogueQuery,
        answer=page_of(CatalogueEntrySerializer),
        problems=(404,),
    )
    def get(self, asked: Asked, *, slug: str) -> Response:
        """By upstream id, as the last good check saw it."""
        rows = providers.by_slug(slug=slug).catalogue.filter(
            gone_at__isnull=not asked.query["gone"],
            upstream_id__icontains=asked.query.get("search", ""),
        )
        return page(asked, rows, order=(By("upstream_id"),), show=CatalogueEntrySerializer)


class AliasesView(ApiView):
    @operation(
        id="aliases",
        tag="providers",
        summary="What a provider's ids stood for, from when to when",
        query=Paging,
        answer=page_of(AliasSerializer),
        permission="versioning.view_aliastarget",
    )
    def get(self, asked: Asked, *, slug: str) -> Response:
        """Newest first. Where `until` is null it still does."""
        rows = providers.by_slug(slug=slug).alias_targets.all()
        return page(asked, rows, order=NEWEST_FIRST, show=AliasSerializer)
