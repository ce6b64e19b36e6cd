"""Which version does a task best, over all models and providers?"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from versioning.domain.statistics.ranking import Entrant, Ranking, rank
from versioning.models import ModelVersion, PerformanceSample, TrackedModel, Word
from versioning.services import sample_settings, teams
from versioning.services.errors import NotFound
from versioning.services.evidence import comparison, performance
from versioning.services.samples import rollups, vocabulary
from versioning.services.samples.rollup_sums import SampleSums
from versioning.services.samples.rollups import PeriodSums
from versioning.services.teams import Caller


@dataclass(frozen=True, slots=True)
class Best:
    """The table of a task: places in order, with the version that each stands for."""

    task: str
    ranking: Ranking
    versions: Mapping[str, ModelVersion]


def best_for(*, task: str, caller: Caller | None = None) -> Best:
    """Rank the current versions of all active models that the caller sees, on a task.

    By their live samples.

    The names in the table are ``provider/model label``. Four queries at any number of samples.
    Raises NotFound for a task that no sample names.
    """
    word = Word.objects.filter(kind=Word.Kind.TASK, text=task).first()
    if word is None:
        raise NotFound(f"No sample names the task {task!r}.")
    models = teams.visible(TrackedModel.objects.active(), caller).exclude(current_version=None)
    entries: defaultdict[int, list[PeriodSums]] = defaultdict(list)
    for entry in rollups.read(version_ids=models.values_list("current_version", flat=True)):
        if entry.cell.task_id == word.pk and entry.cell.source in PerformanceSample.LIVE:
            entries[entry.cell.version_id].append(entry)
    # Only those that have samples of the task: to read thousands of versions takes a while.
    ranked = ModelVersion.objects.select_related("tracked_model__provider")
    by_id = ranked.in_bulk(list(entries))
    names = {_name(by_id[pk]): by_id[pk] for pk in entries}
    entrants = [_entrant(_name(by_id[pk]), found) for pk, found in entries.items()]
    ranking = rank(entrants=entrants, weights=sample_settings.component_weights())
    return Best(task=task, ranking=ranking, versions=names)


def tasks() -> list[str]:
    """Return the names of all tasks that samples name, in alphabetical order."""
    named = Word.objects.filter(kind=Word.Kind.TASK).exclude(text__in=["", vocabulary.OTHER])
    return sorted(named.values_list("text", flat=True))


def _name(version: ModelVersion) -> str:
    tracked = version.tracked_model
    return f"{tracked.provider.slug}/{tracked.name} {version.label}"


def _entrant(name: str, entries: list[PeriodSums]) -> Entrant:
    figures = performance.figures_of(SampleSums.total(entry.sums for entry in entries))
    cost = figures.cost_per_success_usd
    return Entrant(
        name=name,
        arm=comparison.arm(entries),
        cost=None if cost is None else float(cost),
        latency_ms=figures.latency_p95_ms,
    )
