"""Why a model has a successor: few of a long list's entries are read, and the answer stays."""

from datetime import timedelta
from random import Random

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from providers.models import Provider
from tests.factories import NOW, ModelVersionFactory, ProviderFactory, TrackedModelFactory
from tests.versioning.domain.lineage.test_many import made_up
from versioning.domain.lineage import names
from versioning.models import CatalogueEntry, DirectQuestion, LineageRule, TrackedModel
from versioning.services import witness
from versioning.services.upgrades.recommendation import explain
from versioning.services.upgrades.successors import Market, answer_for

FACTS = (
    {},
    {"released": "2025-06-01"},
    {"lifecycle": "deprecated"},
    {"retires_on": "2026-04-01", "replacement": "tarn-3", "source": "a page"},
    {"input_price": "1.5", "context_tokens": 8_000, "input_modalities": ["image", "text"]},
)


def listed(provider: Provider, dice: Random, *, count: int) -> list[str]:
    """Store a made-up list, some of it gone; return its ids."""
    ids = sorted({made_up(dice) for _ in range(count)} | {"ACME/Tarn-1", "other/tarn-2"})
    CatalogueEntry.objects.bulk_create(
        CatalogueEntry(
            provider=provider,
            upstream_id=id,
            revision=dice.choice(("", "", "sha256:" + "ab" * 8)),
            facts=dice.choice(FACTS),
            first_seen_at=NOW - timedelta(days=90),
            last_seen_at=NOW - timedelta(days=dice.randrange(3)),
            gone_at=dice.choice((None, None, None, NOW)),
        )
        for id in ids
    )
    return ids


def in_use(provider: Provider, upstream_id: str) -> TrackedModel:
    version = ModelVersionFactory(
        tracked_model=TrackedModelFactory(provider=provider), upstream_id=upstream_id
    )
    tracked = version.tracked_model
    tracked.current_version = version
    tracked.save()
    return tracked


@pytest.mark.parametrize("most_compared", [0, names.MOST_COMPARED])
@pytest.mark.parametrize("seed", range(3))
def test_the_answer_is_that_of_reading_all_entries(
    seed: int, most_compared: int, monkeypatch: pytest.MonkeyPatch, db: None
) -> None:
    monkeypatch.setattr(names, "MOST_COMPARED", most_compared)
    dice, provider = Random(seed), ProviderFactory()
    ids = listed(provider, dice, count=60)
    DirectQuestion.objects.create(
        provider=provider,
        upstream_id=ids[7],
        is_call=False,
        outcome="refused",
        sentence="There is none.",
        asked_at=NOW,
    )
    whole = Market.of(
        provider=provider,
        entries={entry.upstream_id: entry for entry in provider.catalogue.all()},
        refused=witness.refused(provider=provider, now=NOW),
    )
    for id in (*ids, "acme/tarn-1", "acme/TARN-2", "tarn-0.5", "nobody/has-this"):
        tracked = in_use(provider, id)
        if dice.random() < 0.2:
            LineageRule.objects.create(
                tracked_model=tracked,
                kind=LineageRule.Kind.SUCCESSOR,
                pattern=dice.choice(ids),
                made_by="mara",
            )
        few = Market.from_catalogue(provider, now=NOW)
        assert answer_for(tracked=tracked, market=few) == answer_for(tracked=tracked, market=whole)
        assert few.seen_on == whole.seen_on


def test_it_asks_as_many_questions_of_a_long_list_as_of_a_short_one(db: None) -> None:
    asked = []
    for count in (5, 400):
        provider = ProviderFactory()
        listed(provider, Random(1), count=count)
        tracked = in_use(provider, "acme/tarn-1-mini")
        with CaptureQueriesContext(connection) as queries:
            explain(tracked_model_id=tracked.pk)
        asked.append(len(queries))
    assert asked == [7, 7]
