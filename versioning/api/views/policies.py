"""What may go by itself, when nothing may, and the switch over all of it."""

from django.db.models import Q
from rest_framework.response import Response

from versioning.api import conditional
from versioning.api.operations import ApiView, Asked, operation
from versioning.api.pages import NEWEST_FIRST, OLDEST_FIRST, page, page_of
from versioning.api.serializers.policies import (
    AutomationChange,
    AutomationSerializer,
    FreezeChange,
    FreezeFormSerializer,
    FreezeSerializer,
    FreezesQuery,
    ModelPolicySerializer,
    PoliciesQuery,
    PolicyFormSerializer,
    PolicySerializer,
)
from versioning.domain.policy_words import in_words
from versioning.models import ApiKey, AutomationSwitch, Freeze, Policy
from versioning.services import editing, serving
from versioning.services.upgrades import policies

SETUP = ApiKey.Scope.SETUP
POLICIES = Policy.objects.select_related("provider", "tracked_model__provider")


class PoliciesView(ApiView):
    @operation(
        id="policies",
        tag="policies",
        summary="The policies there are",
        query=PoliciesQuery,
        answer=page_of(PolicySerializer),
        permission="versioning.view_policy",
    )
    def get(self, asked: Asked) -> Response:
        """A model's own comes before its provider's, and that before the general one, which has
        neither."""
        wanted = Q()
        if "provider" in asked.query:
            slug = asked.query["provider"]
            wanted &= Q(provider__slug=slug) | Q(tracked_model__provider__slug=slug)
        if "tracked_model" in asked.query:
            wanted &= Q(tracked_model=asked.query["tracked_model"])
        return page(asked, POLICIES.filter(wanted), order=OLDEST_FIRST, show=PolicySerializer)

    @operation(
        id="add_policy",
        tag="policies",
        summary="Add a policy",
        body=PolicyFormSerializer,
        answer=PolicySerializer,
        status=201,
        scope=SETUP,
        permission="versioning.add_policy",
        headers=(conditional.ETAG,),
    )
    def post(self, asked: Asked) -> Response:
        """For a provider, for a tracked model, or with neither in general: one each."""
        added = editing.add(Policy(**asked.body), actor=asked.actor)
        return conditional.made(added, PolicySerializer, at="/api/policies")


class PolicyView(ApiView):
    @operation(
        id="policy",
        tag="policies",
        summary="One policy",
        answer=PolicySerializer,
        permission="versioning.view_policy",
        headers=(conditional.ETAG,),
    )
    def get(self, asked: Asked, *, id: int) -> Response:
        """What it sets; the rest is taken from the level above."""
        return conditional.shown(editing.row_of(POLICIES.filter(pk=id)), PolicySerializer)

    @operation(
        id="change_policy",
        tag="policies",
        summary="Change a policy",
        body=PolicyFormSerializer,
        answer=PolicySerializer,
        scope=SETUP,
        permission="versioning.change_policy",
        problems=(412,),
        headers=(conditional.ETAG, conditional.IF_MATCH),
    )
    def patch(self, asked: Asked, *, id: int) -> Response:
        """Only the fields that you send; null, or an empty text, leaves a thing to the level
        above. Records under way go on under what it says then."""
        return conditional.changed(asked, Policy.objects.filter(pk=id), PolicySerializer)

    @operation(
        id="remove_policy",
        tag="policies",
        summary="Remove a policy",
        answer=None,
        status=204,
        scope=SETUP,
        permission="versioning.delete_policy",
        problems=(409, 412),
        headers=(conditional.IF_MATCH,),
    )
    def delete(self, asked: Asked, *, id: int) -> Response:
        """What it was for takes what the level above says; its history stays."""
        return conditional.removed(asked, Policy.objects.filter(pk=id))


class ModelPolicyView(ApiView):
    @operation(
        id="model_policy",
        tag="models",
        summary="What holds for a model, and which policy sets it?",
        answer=ModelPolicySerializer,
        permission="versioning.view_policy",
    )
    def get(self, asked: Asked, *, provider: str, model: str) -> Response:
        """Each setting, from the model's own policy, its provider's, the general one, or built
        in."""
        resolved = policies.resolve(tracked=serving.tracked_model(provider=provider, name=model))
        shown = {
            "settings": policies.settings_of(resolved),
            "in_words": [line.sentence for line in in_words(resolved.policy)],
            "fallback": resolved.fallback,
        }
        return Response(ModelPolicySerializer(shown).data)


class FreezesView(ApiView):
    @operation(
        id="freezes",
        tag="policies",
        summary="Times in which nothing goes by itself",
        query=FreezesQuery,
        answer=page_of(FreezeSerializer),
        permission="versioning.view_freeze",
    )
    def get(self, asked: Asked) -> Response:
        """Newest first, those that are over included, unless `over=false`."""
        found = Freeze.objects.select_related("provider")
        if "provider" in asked.query:
            found = found.filter(provider__slug=asked.query["provider"])
        if asked.query["over"] is not None:
            is_over = Q(ends_at__lte=asked.now)
            found = found.filter(is_over if asked.query["over"] else ~is_over)
        return page(asked, found, order=NEWEST_FIRST, show=FreezeSerializer)

    @operation(
        id="add_freeze",
        tag="policies",
        summary="Freeze everything, or a provider, for a time",
        body=FreezeFormSerializer,
        answer=FreezeSerializer,
        status=201,
        scope=SETUP,
        permission="versioning.add_freeze",
        headers=(conditional.ETAG,),
    )
    def post(self, asked: Asked) -> Response:
        """Nothing begins by itself in it. People may still decide."""
        freeze = Freeze(**asked.body, made_by=asked.actor.name)
        added = editing.add(freeze, actor=asked.actor)
        return conditional.made(added, FreezeSerializer, at="/api/freezes")


class FreezeView(ApiView):
    @operation(
        id="freeze",
        tag="policies",
        summary="One freeze",
        answer=FreezeSerializer,
        permission="versioning.view_freeze",
        headers=(conditional.ETAG,),
    )
    def get(self, asked: Asked, *, id: int) -> Response:
        """From when to when, and who made it."""
        return conditional.shown(editing.row_of(Freeze.objects.filter(pk=id)), FreezeSerializer)

    @operation(
        id="change_freeze",
        tag="policies",
        summary="Change a freeze",
        body=FreezeChange,
        answer=FreezeSerializer,
        scope=SETUP,
        permission="versioning.change_freeze",
        problems=(412,),
        headers=(conditional.ETAG, conditional.IF_MATCH),
    )
    def patch(self, asked: Asked, *, id: int) -> Response:
        """Only the fields that you send. To end it now, set `ends_at`."""
        return conditional.changed(asked, Freeze.objects.filter(pk=id), FreezeSerializer)

    @operation(
        id="remove_freeze",
        tag="policies",
        summary="Remove a freeze",
        answer=None,
        status=204,
        scope=SETUP,
        permission="versioning.delete_freeze",
        problems=(412,),
        headers=(conditional.IF_MATCH,),
    )
    def delete(self, asked: Asked, *, id: int) -> Response:
        """As if it had not been made; its history stays."""
        return conditional.removed(asked, Freeze.objects.filter(pk=id))


class AutomationView(ApiView):
    @operation(
        id="automation",
        tag="policies",
        summary="May anything move by itself?",
        answer=AutomationSerializer,
        permission="versioning.view_automationswitch",
    )
    def get(self, asked: Asked) -> Response:
        """Who switched it last, and why."""
        switch = AutomationSwitch.objects.first() or AutomationSwitch(on=True)
        return Response(AutomationSerializer(switch).data)

    @operation(
        id="switch_automation",
        tag="policies",
        summary="Switch automation off, or on again",
        body=AutomationChange,
        answer=AutomationSerializer,
        scope=SETUP,
        permission="versioning.change_automationswitch",
    )
    def post(self, asked: Asked) -> Response:
        """Off: nothing moves by itself, anywhere, until it is on again. It needs a reason."""
        switch = policies.switch_automation(**asked.body, actor=asked.actor, now=asked.now)
        return Response(AutomationSerializer(switch).data)
