"""A policy in words on a page: what it means, and whose policy says so."""

from copy import copy
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import ForeignKey
from django.utils.translation import gettext as _

from versioning.domain.policy_words import in_words
from versioning.models import Policy
from versioning.services.upgrades.policies import Resolved


@dataclass(frozen=True, slots=True)
class ShownPolicyLine:
    """A sentence of a policy; ``source`` is whose policy says it, built in where nobody's does."""

    topic: str
    sentence: str
    source: str


def lines(resolved: Resolved, *, of: Policy | None = None) -> list[ShownPolicyLine]:
    """Return what holds, in words. What the policy itself says has no source beside it."""
    found = []
    for line in in_words(resolved.policy):
        setters = [resolved.set_by[name] for name in line.settings if name in resolved.set_by]
        named = sorted({"" if row is of else str(row) for row in setters})
        source = ", ".join(filter(None, named)) if setters else _("built in")
        found.append(ShownPolicyLine(line.topic, line.sentence, source if line.settings else ""))
    return found


def typed(form: Any) -> tuple[Policy, list[str]]:
    """Return the policy as a form has it, and the names of the fields that can't be read yet."""
    # A form that was refused has written into its own row what can't be.
    stored = Policy.objects.filter(pk=form.instance.pk).first() if form.is_bound else None
    row, unread = stored or (Policy() if form.is_bound else copy(form.instance)), []
    for name in form.fields:
        bound, kept = form[name], Policy._meta.get_field(name)
        try:
            if bound.form.is_bound:
                value = bound.field.clean(bound.data)
            else:
                value = bound.initial
                if isinstance(kept, ForeignKey):
                    value = bound.field.clean(getattr(value, "pk", value))
            if not isinstance(kept, ForeignKey) and value not in (None, "", []):
                kept.run_validators(value)  # type: ignore[union-attr]  # no relation to here
        except ValidationError:
            unread.append(str(bound.label))
        else:
            setattr(row, name, value)
    return row, unread
