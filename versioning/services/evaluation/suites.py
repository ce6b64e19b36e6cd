"""Suites: cases come in and go out, and a run gets them as they are at its start."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from django.db.models import Exists, OuterRef, Q, QuerySet

from versioning.domain.evaluation.cases import (
    BadCase,
    Case,
    Imported,
    read_case,
    read_csv,
    read_jsonl,
    suite_hash,
    write_csv,
    write_jsonl,
)
from versioning.domain.scoring import ScorerUse, read_uses
from versioning.models import (
    EvaluationCase,
    EvaluationRun,
    EvaluationSuite,
    FrozenSuite,
    Policy,
    TrackedModel,
)
from versioning.services import locks, lookups
from versioning.services.errors import Invalid
from versioning.services.storable import WHY_NOT, is_storable
from versioning.services.transactions import one_transaction

Form = Literal["csv", "jsonl"]
LONGEST_FILE = 32 * 1024 * 1024


def suite_named(name: str) -> EvaluationSuite:
    """Return the suite. Raises NotFound."""
    return lookups.one(
        EvaluationSuite.objects.filter(name=name), missing=f"There is no evaluation suite {name!r}."
    )


def suite_by_id(suite_id: int) -> EvaluationSuite:
    """Return the suite. Raises NotFound."""
    return lookups.one(
        EvaluationSuite.objects.filter(pk=suite_id),
        missing=f"There is no evaluation suite {suite_id}.",
    )


def fitting(
    *, tracked: TrackedModel, required: Collection[str], tasks: Collection[str]
) -> QuerySet[EvaluationSuite]:
    """Return the suites that are a model's own, then those that are nobody's; another's never.

    Its own are those that its policy requires, those that were run on it, and those of one of its
    tasks. Nobody's name no task, were run on no model, and are required by no policy.
    """
    runs = EvaluationRun.objects.filter(frozen__suite=OuterRef("pk"))
    cases = EvaluationCase.objects.filter(suite=OuterRef("pk"))
    named = Policy.objects.exclude(required_suites=None).values_list("required_suites", flat=True)
    is_own = (
        Q(name__in=required)
        | Q(Exists(runs.filter(to_version__tracked_model=tracked)))
        | Q(task__in=tasks)
        | Q(Exists(cases.filter(content__task__in=list(tasks))))
    )
    is_nobodys = (
        Q(task="")
        & ~Q(Exists(runs))
        & ~Q(name__in={str(name) for names in named for name in names or ()})
        & ~Q(Exists(cases.exclude(content__task="").filter(content__has_key="task")))
    )
    found = EvaluationSuite.objects.annotate(is_own=is_own)
    return found.filter(Q(is_own=True) | is_nobodys).order_by("-is_own", "name")


def read_file(*, suite: EvaluationSuite, content: bytes, form: Form) -> Imported:
    """Read cases from a file without storing them: what an import would do.

    Raises Invalid where it is empty, too large, no UTF-8 text, or has text that no database keeps.
    """
    if not content.strip():
        # An import that replaces would else remove every case there is.
        raise Invalid("The file is empty.")
    if len(content) > LONGEST_FILE:
        raise Invalid(f"The file is larger than {LONGEST_FILE // 1024**2} MB; split it.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid("The file is no UTF-8 text; save it as UTF-8.") from error
    reader = read_csv if form == "csv" else read_jsonl
    read = reader(text, template=suite.template)
    for case in read.cases:
        if not is_storable(case.as_dict()):
            raise Invalid(f"The case {case.key!r} can't be kept. {WHY_NOT}")
    return read


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """How many cases of an import were new, said something else than before, the same, or gone.

    ``not_removed`` were to go and stayed: a row that can't be used may stand for any of them.
    """

    new: int
    changed: int
    unchanged: int
    removed: int
    not_removed: int

    @property
    def sentence(self) -> str:
        """Say what became of the cases; what happened to none of them is left out."""
        counts = {
            "new": self.new,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "removed": self.removed,
            "not removed, since some rows can't be used": self.not_removed,
        }
        return f"Cases: {', '.join(f'{n} {what}' for what, n in counts.items() if n) or 'none'}."


@one_transaction
def import_cases(*, suite: EvaluationSuite, read: Imported, replace: bool = False) -> Stored:
    """Store cases. One with the key of a case that is there takes its place.

    With ``replace`` all others go, unless some rows can't be used. A case that says the same as
    before is not written.
    """
    locks.hold(EvaluationSuite.objects.filter(pk=suite.pk)).get()
    cases = read.cases
    keys = [case.key for case in cases]
    others = suite.cases.exclude(key__in=keys)
    removed = others.delete()[0] if replace and not read.unread else 0
    not_removed = others.count() if replace and read.unread else 0
    known = dict(suite.cases.filter(key__in=keys).values_list("key", "content"))
    contents = {case.key: _content(case) for case in cases}
    new = contents.keys() - known.keys()
    changed = {key for key, content in known.items() if content != contents[key]}
    EvaluationCase.objects.bulk_create(
        [
            EvaluationCase(suite=suite, key=key, content=content)
            for key, content in contents.items()
            if key in new or key in changed
        ],
        update_conflicts=True,
        unique_fields=["suite", "key"],
        update_fields=["content"],
    )
    return Stored(
        new=len(new),
        changed=len(changed),
        unchanged=len(known) - len(changed),
        removed=removed,
        not_removed=not_removed,
    )


def export_cases(*, suite: EvaluationSuite, form: Form) -> str:
    """Return all cases of the suite as a text that ``read_file`` reads."""
    writer = write_csv if form == "csv" else write_jsonl
    return writer(cases_of(suite))


def cases_of(suite: EvaluationSuite) -> list[Case]:
    """Return the cases of the suite in the order of their keys. Raises Invalid for a bad one."""
    cases = []
    for row in suite.cases.order_by("key"):
        row.suite = suite
        try:
            cases.append(row.read())
        except BadCase as error:
            raise Invalid(f"The case {row.key} of {suite.name} {error}.") from error
    return cases


def freeze(*, suite: EvaluationSuite, now: datetime) -> FrozenSuite:
    """Return the suite as it is now, under its hash. Raises Invalid where nothing can run."""
    cases = cases_of(suite)
    if not cases:
        raise Invalid(f"{suite.name} has no cases yet: import some.")
    uses = suite.uses
    if suite.judge_id is None and not all(case.scorers or uses for case in cases):
        raise Invalid(f"{suite.name} has cases without a scorer, and no scorers of its own.")
    parameters = {**suite.parameters, "max_tokens": suite.max_tokens}
    digest = suite_hash(cases=cases, scorers=uses, parameters=parameters)
    frozen, _ = FrozenSuite.objects.get_or_create(
        suite=suite,
        digest=digest,
        defaults={
            "content": {
                "cases": [case.as_dict() for case in cases],
                "scorers": [use.as_dict() for use in uses],
                "parameters": parameters,
            },
            "case_count": len(cases),
            "frozen_at": now,
        },
    )
    return frozen


def frozen_cases(frozen: FrozenSuite) -> dict[str, Case]:
    """Return the cases of a frozen suite by key."""
    rows = frozen.content["cases"]
    return {row["key"]: read_case(row, number=place) for place, row in enumerate(rows, start=1)}


def scorers_for(case: Case, *, frozen: FrozenSuite) -> tuple[ScorerUse, ...]:
    """Return the scorers of a case: its own, or the suite's."""
    return case.scorers or read_uses(frozen.content["scorers"])


def _content(case: Case) -> dict[str, Any]:
    said = case.as_dict()
    del said["key"]
    return said
