"""What each of the twenty models truly is, and so what to decide: the key."""

from dataclasses import dataclass
from enum import StrEnum


class RightAnswer(StrEnum):
    """What somebody who knew the truth would do; the names are those of the admin's decisions."""

    MOVE = "approve"
    STAY = "reject"
    WAIT = "snooze"


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Requests of one task that one version served: how many a day, on which days, and how well.

    Days count back from today. ``quality`` is the mean of true scores from 0 to 1, ``spread``
    their deviation; ``errors`` the share that failed; a ``scored`` of False has no score. Where
    errors aren't the matter there are none: at one in a hundred no month of such traffic tells
    whether a limit of a point is kept, and to wait would be right.
    """

    task: str = "answer"
    a_day: float = 42
    first_day: int = 28
    last_day: int = 1
    quality: float = 0.7
    spread: float = 0.12
    errors: float = 0
    latency_ms: float = 600
    cost_usd: float = 0.002
    scored: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedCase:
    """Two versions as they truly are, and what to do about the newer one."""

    word: str
    truth: str
    right: RightAnswer
    before: tuple[Work, ...] = (Work(),)
    after: tuple[Work, ...]
    tested: tuple[float, float] | None = None
    """Shares of a suite's cases that each answers right, where it is run; None where it isn't."""
    retires_in_days: int | None = None


def _two(one: Work, other: Work) -> tuple[Work, ...]:
    return (one, other)


EASY, HARD = 0.85, 0.55

CASES: tuple[JudgedCase, ...] = (
    JudgedCase(
        word="amber",
        truth="ten points better",
        right=RightAnswer.MOVE,
        after=(Work(quality=0.8),),
    ),
    JudgedCase(
        word="birch",
        truth="five points better, on much traffic",
        right=RightAnswer.MOVE,
        before=(Work(a_day=80),),
        after=(Work(a_day=80, quality=0.75),),
    ),
    JudgedCase(
        word="cedar",
        truth="as good for half the money",
        right=RightAnswer.MOVE,
        before=(Work(a_day=80, spread=0.06),),
        after=(Work(a_day=80, spread=0.06, cost_usd=0.001),),
    ),
    JudgedCase(
        word="dahlia",
        truth="as good, and the one in use retires in three weeks",
        right=RightAnswer.MOVE,
        before=(Work(a_day=80, spread=0.06),),
        after=(Work(a_day=80, spread=0.06, quality=0.705),),
        retires_in_days=21,
    ),
    JudgedCase(
        word="ember",
        truth="eight points better, a tenth slower, which is allowed",
        right=RightAnswer.MOVE,
        after=(Work(quality=0.78, latency_ms=650),),
    ),
    JudgedCase(
        word="fennel",
        truth="better at each task; it got more of the hard one, so its mean is lower",
        right=RightAnswer.MOVE,
        before=_two(
            Work(task="easy", a_day=80, quality=EASY),
            Work(task="hard", a_day=20, quality=HARD),
        ),
        after=_two(
            Work(task="easy", a_day=20, quality=EASY + 0.07),
            Work(task="hard", a_day=80, quality=HARD + 0.1),
        ),
    ),
    JudgedCase(
        word="garnet",
        truth="better in the tests and in production",
        right=RightAnswer.MOVE,
        after=(Work(quality=0.79),),
        tested=(0.5, 1.0),
    ),
    JudgedCase(
        word="hazel",
        truth="better, and fails less often",
        right=RightAnswer.MOVE,
        before=(Work(errors=0.05),),
        after=(Work(quality=0.77, errors=0.005),),
    ),
    JudgedCase(
        word="iris",
        truth="fifteen points worse",
        right=RightAnswer.STAY,
        after=(Work(quality=0.55),),
    ),
    JudgedCase(
        word="juniper",
        truth="better at one task, far worse at the other",
        right=RightAnswer.STAY,
        before=_two(Work(task="draft", quality=0.6), Work(task="extract", quality=0.85)),
        after=_two(Work(task="draft", quality=0.8), Work(task="extract", quality=0.6)),
    ),
    JudgedCase(
        word="kelp",
        truth="better where it answers, and one request in eight fails",
        right=RightAnswer.STAY,
        after=(Work(quality=0.78, errors=0.12),),
    ),
    JudgedCase(
        word="lotus",
        truth="better, and twice as slow",
        right=RightAnswer.STAY,
        after=(Work(quality=0.78, latency_ms=1300),),
    ),
    JudgedCase(
        word="maple",
        truth="a little better for three times the money",
        right=RightAnswer.STAY,
        after=(Work(quality=0.74, cost_usd=0.006),),
    ),
    JudgedCase(
        word="nettle",
        truth="worse at each task; it got more of the easy one, so its mean is higher",
        right=RightAnswer.STAY,
        before=_two(
            Work(task="easy", a_day=12, quality=EASY), Work(task="hard", a_day=50, quality=HARD)
        ),
        after=_two(
            Work(task="easy", a_day=50, quality=EASY - 0.1),
            Work(task="hard", a_day=12, quality=HARD - 0.12),
        ),
    ),
    JudgedCase(
        word="olive",
        truth="a dozen requests of each: nobody can tell",
        right=RightAnswer.WAIT,
        before=(Work(a_day=0.5),),
        after=(Work(a_day=0.5, quality=0.8),),
    ),
    JudgedCase(
        word="poppy",
        truth="nobody has asked the new one anything",
        right=RightAnswer.WAIT,
        after=(),
    ),
    JudgedCase(
        word="quince",
        truth="the two served in different weeks, and the work may have changed between",
        right=RightAnswer.WAIT,
        before=(Work(first_day=28, last_day=16),),
        after=(Work(first_day=12, last_day=1, quality=0.8),),
    ),
    JudgedCase(
        word="rowan",
        truth="nobody scored the new one's answers",
        right=RightAnswer.WAIT,
        after=(Work(scored=False),),
    ),
    JudgedCase(
        word="sorrel",
        truth="noise larger than any difference, on little traffic",
        right=RightAnswer.WAIT,
        before=(Work(a_day=2, spread=0.3),),
        after=(Work(a_day=2, spread=0.3, quality=0.72),),
    ),
    JudgedCase(
        word="thistle",
        truth="each did another task: nothing can be compared",
        right=RightAnswer.WAIT,
        before=(Work(task="translate"),),
        after=(Work(task="summarise", quality=0.82),),
    ),
)
