"""A policy in words: what it means, for people who read it and for those who write it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from versioning.domain.calendar import DAYS, Window
from versioning.domain.canary import CanaryStep
from versioning.domain.figure_kinds import Rises
from versioning.domain.figures import GATES, LIMITS
from versioning.domain.policy import BY_THEMSELVES, Asks, Automation, EffectivePolicy, Unsure

NO_LIMIT = Decimal(99)
"""From here on a rise, or a number of times, is no limit."""

_DAY_MINUTES = 24 * 60
_EVENING, _MORNING = 20 * 60, 8 * 60
_DAY_NAMES = dict(zip(DAYS, ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), strict=True))
_KINDS = {
    "revision": "revisions",
    "snapshot": "snapshots",
    "minor": "minor generations",
    "major": "major generations",
}
_ASKS = {
    Asks.NOT_WORSE: "that it isn't worse",
    Asks.BETTER: "that it is better",
    Asks.NO_HARM: "that no harm is seen",
}
_UNSURE = {
    Unsure.ASKS: "one that can't tell waits for a person",
    Unsure.PASSES: "one that can't tell passes",
    Unsure.FAILS: "one that can't tell fails",
}


@dataclass(frozen=True, slots=True)
class PolicyLine:
    """One thing that a policy says; ``settings`` are the fields that it comes from."""

    topic: str
    sentence: str
    settings: tuple[str, ...]


def in_words(policy: EffectivePolicy) -> tuple[PolicyLine, ...]:
    """Return what a policy means, a sentence or two a topic; the first says it in short."""
    return (
        PolicyLine("In short", in_short(policy), ()),
        PolicyLine(
            "By itself",
            _by_itself(policy),
            ("automation", "steps_allowed", "minimum_age_days", "near_retirement_days",
             "windows", "time_zone", "max_at_once", "max_per_day"),
        ),
        PolicyLine(
            "Evidence",
            _evidence(policy),
            ("minimum_improvement", *(limit.setting for limit in LIMITS), "unsure_limits_pass",
             "tests_alone"),
        ),
        PolicyLine("People", _people(policy), ("approvals_needed", "requester_may_approve")),
        PolicyLine("Tests", _tests(policy), ("required_suites", "unsure_tests")),
        PolicyLine("Canary", _canary(policy), ("canary_steps", "canary_asks")),
        PolicyLine("Afterwards", _afterwards(policy), ("watch_days", "rollback_by_itself")),
        PolicyLine("Retirement clock", _clock(policy), ("approval_days", "buffer_days")),
    )  # fmt: skip


def in_short(policy: EffectivePolicy) -> str:
    """Return one sentence: who moves it, when, and after what."""
    who = {
        Automation.NEVER: "Staff decide each upgrade",
        Automation.ON_REQUEST: "Goes once staff approve it, or a client asks for auto_upgrade",
        Automation.NEAR_RETIREMENT: "Goes by itself when retirement is near",
        Automation.AFTER_GATES: "Goes by itself",
    }[policy.automation]
    if not goes_by_itself(policy):
        who = "Staff decide each upgrade"
    by_itself = goes_by_itself(policy) and policy.automation is not Automation.ON_REQUEST
    when = f" {_when(policy)}" if by_itself and policy.windows else ""
    tests = [f"tests with {_and([f'“{name}”' for name in policy.required_suites])}"]
    stops = tests if policy.required_suites else []
    stops += [_course(policy.canary_steps)] if policy.canary_steps else []
    return f"{who}{when}, {f'after {_and(stops)}' if stops else 'without tests or a canary'}."


def goes_by_itself(policy: EffectivePolicy) -> bool:
    """Say whether anything at all may go without a person's approval."""
    return (
        policy.automation is not Automation.NEVER
        and policy.approvals_needed < 2
        and any(step in BY_THEMSELVES for step in policy.steps_allowed)
    )


def days(names: Sequence[str]) -> str:
    """Return days of the week as people say them: "on weekdays", "from Mon to Thu"."""
    chosen = [day for day in DAYS if day in names]
    places = [DAYS.index(day) for day in chosen]
    if len(chosen) == len(DAYS):
        return "every day"
    if chosen == list(DAYS[:5]):
        return "on weekdays"
    if chosen == list(DAYS[5:]):
        return "at weekends"
    if len(chosen) > 2 and places == list(range(places[0], places[-1] + 1)):
        return f"from {_DAY_NAMES[chosen[0]]} to {_DAY_NAMES[chosen[-1]]}"
    return f"on {_and([_DAY_NAMES[day] for day in chosen])}"


def window(found: Window) -> str:
    """Return a window such as "at night on weekdays (22:00 to 06:00)"."""
    which = days(found.days)
    if (found.start, found.end % _DAY_MINUTES) == (0, 0):
        return which if which.startswith(("on", "every", "at")) else f"{which}, all day"
    hours = f"{_clock_time(found.start)} to {_clock_time(found.end)}"
    if found.start >= _EVENING and found.end <= _MORNING:
        return f"at night {which} ({hours})" if which != "every day" else f"at night ({hours})"
    ends_later = found.end <= found.start
    return f"{which} from {hours}{' the next day' if ends_later else ''}"


def hours(number: Decimal) -> str:
    """Return a time given in hours: "an hour", "90 minutes", "a day", "3 days"."""
    if number and number % 24 == 0:
        return _counted(number / 24, "a day", "days")
    if number < 2 and number % 1 and (number * 60) % 1 == 0:
        return _counted(number * 60, "a minute", "minutes")
    return _counted(number, "an hour", "hours")


def step(found: CanaryStep) -> str:
    """Return one step of a canary: "5 % for a day", "50 % for 500 samples and an approval"."""
    holds = [hours(found.hold_hours)] if found.hold_hours else []
    if found.hold_samples:
        holds.append(f"{found.hold_samples:,} sample{'s'[: found.hold_samples != 1]}")
    held = f" for {_and(holds)}" if holds else ""
    approved = " until a person approves" if found.needs_approval else ""
    joined = " and" if held and approved else ""
    otherwise = "" if held or approved else " until the evidence is there"
    return f"{percent(found.weight)}{held}{joined}{approved}{otherwise}"


def percent(fraction: Decimal) -> str:
    """Return a fraction as per cent, without trailing zeros: "5 %", "0.5 %"."""
    return f"{_plain(fraction * 100)} %"


def _by_itself(policy: EffectivePolicy) -> str:
    if policy.automation is Automation.NEVER:
        return "Nothing goes by itself: staff decide."
    if policy.approvals_needed > 1:
        return f"Nothing goes by itself: {policy.approvals_needed} people must approve."
    allowed = [step for step in BY_THEMSELVES if step in policy.steps_allowed]
    if not allowed:
        return "Nothing goes by itself: no kind of step may."
    kinds = "Every kind of step" if len(allowed) == len(BY_THEMSELVES) else _kinds(allowed)
    may = " may go by itself" if len(allowed) == len(BY_THEMSELVES) else " may go by themselves"
    asked = {
        Automation.ON_REQUEST: ", when a client asks for auto_upgrade",
        Automation.NEAR_RETIREMENT: f", within {_days(policy.near_retirement_days)} of retirement",
    }.get(policy.automation, "")
    said = [f"{kinds}{may}{asked}, {_when(policy)}."]
    if policy.minimum_age_days:
        said.append(f"A version must be {_days(policy.minimum_age_days)} old.")
    pace = []
    if policy.max_at_once is not None:
        pace.append(f"{policy.max_at_once} at once")
    if policy.max_per_day is not None:
        pace.append(f"{policy.max_per_day} a day")
    return " ".join([*said, *([f"At most {_and(pace)}."] if pace else [])])


def _kinds(allowed: Sequence[str]) -> str:
    named = _and([_KINDS[kind] for kind in allowed])
    return f"Only {named}"


def _when(policy: EffectivePolicy) -> str:
    if not policy.windows:
        return "at any time"
    return f"{_and([window(each) for each in policy.windows])}, {policy.time_zone} time"


def _evidence(policy: EffectivePolicy) -> str:
    least = policy.minimum_improvement
    quality = (
        f"To go by itself, quality must be {percent(least)} better."
        if least
        else "Quality must not be worse."
    )
    said = [quality]
    said += _limits(policy)
    if policy.unsure_limits_pass:
        said.append("It is enough to be within these limits as measured.")
    else:
        said.append("It must be surely within these limits.")
    if policy.tests_alone:
        said.append("A finished test is evidence enough where live samples are missing.")
    return " ".join(said)


def _limits(policy: EffectivePolicy) -> list[str]:
    """Say each limit, what has none, and then how many times a rate may be."""
    rises: list[str] = []
    free: list[str] = []
    times: list[str] = []
    for gated in GATES:
        for limit in gated.limits:
            value: Decimal | None = getattr(policy, limit.setting)
            if value is None:
                continue
            if limit.rises is Rises.POINTS:
                rises.append(f"{gated.subject} by {_counted(value * 100, '1 point', 'points')}")
            elif limit.rises is Rises.TIMES and value < NO_LIMIT:
                times.append(f"There may be {_plain(value)} times as many {gated.subject} at most.")
            elif limit.rises is Rises.FRACTION and value < NO_LIMIT:
                rises.append(f"{gated.subject} by {percent(value)}")
            elif limit.rises is Rises.FRACTION:
                free.append(gated.brief.lower())
    may_rise = [_and(rises).replace(" by ", " may rise by ", 1)] if rises else []
    return [
        *(f"At most, {text}." for text in may_rise),
        *([f"{_capital(_and(free))} may rise without limit."] if free else []),
        *times,
    ]


def _people(policy: EffectivePolicy) -> str:
    needed = policy.approvals_needed
    count = "One person approves" if needed == 1 else f"{needed} people approve"
    asker = "may" if policy.requester_may_approve else "may not"
    return f"{count}. Whoever asked for the upgrade {asker} approve it."


def _tests(policy: EffectivePolicy) -> str:
    if not policy.required_suites:
        return "No suite must pass."
    suites = _and([f"“{name}”" for name in policy.required_suites])
    return f"First {suites} must pass; {_UNSURE[policy.unsure_tests]}."


def _canary(policy: EffectivePolicy) -> str:
    steps = policy.canary_steps
    if not steps:
        return "No canary: every key gets the new version at once."
    asks = f"Each step needs the evidence {_ASKS[policy.canary_asks]}."
    late = list(dict.fromkeys(hours(each.deadline_hours) for each in steps))
    pause = f"Without a verdict it pauses after {' or '.join(late)}, as its step says."
    if len(late) == 1:
        pause = f"Without a verdict a step pauses after {late[0]}."
    return f"Shares of the keys: {', then '.join(map(step, steps))}. {asks} {pause}"


def _course(steps: Sequence[CanaryStep]) -> str:
    return _and([step(each) for each in steps])


def _afterwards(policy: EffectivePolicy) -> str:
    if not policy.watch_days:
        return "A completed upgrade is not watched."
    then = "it goes back by itself" if policy.rollback_by_itself else "you are told"
    return f"Watched for {_days(policy.watch_days)}; when it turns out worse, {then}."


def _clock(policy: EffectivePolicy) -> str:
    return (
        f"The latest safe start reckons with {_days(policy.approval_days)} for approvals and "
        f"{_days(policy.buffer_days)} to spare."
    )


def _and(parts: Sequence[str]) -> str:
    """Join as people do; parts that have an "and" themselves are set apart by "then"."""
    if len(parts) < 2:
        return "".join(parts)
    if any(" and " in part for part in parts):
        return ", then ".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def _days(number: int) -> str:
    return "a day" if number == 1 else f"{number} days"


def _counted(number: Decimal, one: str, many: str) -> str:
    return one if number == 1 else f"{_plain(number)} {many}"


def _plain(number: Decimal) -> str:
    text = f"{number:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _clock_time(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
