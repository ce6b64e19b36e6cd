"""What each kind of event holds: its fields, when it is written, and a JSON Schema of its message.

Names, ids, days and words of staff; no field has a place for a prompt, an answer or a key.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from versioning.domain.events import VERSIONS, EventKind
from versioning.domain.transitions import State

Schema = Mapping[str, Any]
"""A part of a JSON Schema (2020-12)."""


class Subject(StrEnum):
    """What an event is about; the fields that say so come with each of its kinds."""

    UPGRADE = "upgrade"
    MODEL = "model"
    VERSION = "version"
    PROVIDER = "provider"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """One kind of event: what it is about, when it is written, and its own fields."""

    about: Subject
    when: str
    details: Mapping[str, Schema]


def _text(most: int) -> Schema:
    return {"type": "string", "maxLength": most}


def _or_null(schema: Schema) -> Schema:
    return {**schema, "type": [schema["type"], "null"]}


NUMBER: Schema = {"type": "integer"}
DAY: Schema = {"type": "string", "format": "date"}
MOMENT: Schema = {"type": "string", "format": "date-time"}
NAME = _text(200)

OF_A_MOVE: Mapping[str, Schema] = {
    "before": {"enum": [*State, None]},
    "reason": {"type": "string"},
}
_CANARY: Mapping[str, Schema] = {"canary_step": NUMBER, "weight": {"type": "number"}}
_SAID: Mapping[str, Schema] = {"comment_id": NUMBER, "answers": _or_null(NUMBER)}
_RUN: Mapping[str, Schema] = {"run_id": NUMBER, "suite": NAME}


def _of_upgrade(when: str, details: Mapping[str, Schema] = OF_A_MOVE) -> Described:
    return Described(about=Subject.UPGRADE, when=when, details=details)


def _of_model(when: str, **details: Schema) -> Described:
    return Described(about=Subject.MODEL, when=when, details=details)


def _of_version(when: str, **details: Schema) -> Described:
    return Described(about=Subject.VERSION, when=when, details=details)


def _of_provider(when: str, **details: Schema) -> Described:
    return Described(about=Subject.PROVIDER, when=when, details=details)


def _of_all(when: str, **details: Schema) -> Described:
    return Described(about=Subject.ALL, when=when, details=details)


_KIND = EventKind
KINDS: Mapping[EventKind, Described] = MappingProxyType(
    {
        _KIND.RECOMMENDED: _of_upgrade(
            "a successor was found (perhaps one, where `step` is `maybe`), or somebody asked for "
            "a version"
        ),
        _KIND.APPROVAL_NEEDED: _of_upgrade(
            "it has been asked for or approved, and others must approve it", {"missing": NUMBER}
        ),
        _KIND.APPROVAL_FELL: _of_upgrade("what was approved has changed", {"fallen": NUMBER}),
        _KIND.DECIDED: _of_upgrade("approved, rejected or snoozed: see `state`"),
        _KIND.REOPENED: _of_upgrade(
            "it waits for a decision again: its snooze is over, or its way back closed"
        ),
        _KIND.SUPERSEDED: _of_upgrade("a newer version or another move came first"),
        _KIND.TESTS_BEGUN: _of_upgrade("its tests run"),
        _KIND.FAILED: _of_upgrade("its tests failed"),
        _KIND.COMMENTED: _of_upgrade(
            "somebody said something about it: the `sentence` has it", _SAID
        ),
        _KIND.CHANGES_ASKED: _of_upgrade(
            "somebody asks for changes; until that ends nobody can approve it", _SAID
        ),
        _KIND.CHANGES_WITHDRAWN: _of_upgrade(
            "whoever asked for changes took that back: `answers` is the request", _SAID
        ),
        _KIND.CHANGES_OVERRIDDEN: _of_upgrade(
            "somebody else ended a request for changes: `answers` is the request", _SAID
        ),
        _KIND.CANARY_BEGUN: _of_upgrade("the first share of keys gets the new version"),
        _KIND.CANARY_ADVANCED: _of_upgrade("a larger share does", _CANARY),
        _KIND.CANARY_PAUSED: _of_upgrade("a person is waited for", _CANARY),
        _KIND.CANARY_RESUMED: _of_upgrade("a person let it go on", _CANARY),
        _KIND.CANARY_ABORTED: _of_upgrade("all keys get the current version again"),
        _KIND.MOVED: _of_upgrade(
            "clients get another version: by an upgrade, a rollback, or the first one (`origin`)"
        ),
        _KIND.ROLLED_BACK: _of_upgrade(
            "a move was undone; that clients went back is a `model.moved`"
        ),
        _KIND.WATCH_ENDED: _of_upgrade("a watch period ended", {"result": _text(20)}),
        _KIND.RETIREMENT_CHANGED: _of_version(
            "a retirement date was set, moved or taken back",
            before=_or_null(DAY),
            retires_on=_or_null(DAY),
            is_current={"type": "boolean"},
        ),
        _KIND.REMINDER: _of_version(
            "90, 60, 30, 7 days before, and on the day, for models with an owner",
            reminder_id=NUMBER,
            retires_on=DAY,
            days_before=NUMBER,
            latest_start=_or_null(DAY),
        ),
        _KIND.EMERGENCY_DECLARED: _of_model(
            "somebody moves the model at once, past tests, canary and approvals; each move is a "
            "`model.moved`",
            emergency_id=NUMBER,
            ends_at=MOMENT,
            reason={"type": "string"},
        ),
        _KIND.EMERGENCY_ENDED: _of_model(
            "it is over, by itself; somebody who had no part in it reviews it",
            emergency_id=NUMBER,
            moves=NUMBER,
        ),
        _KIND.EMERGENCY_REVIEWED: _of_model("somebody has", emergency_id=NUMBER),
        _KIND.START_THIS_WEEK: _of_version(
            "the last safe day to start the move away from an announced retirement is within a "
            "week, or past",
            retires_on=DAY,
            latest_start=DAY,
        ),
        _KIND.DRIFTED: _of_version(
            "the version behaves otherwise although its name did not change",
            finding_id=NUMBER,
            measure=_text(40),
            began_on=DAY,
        ),
        _KIND.SERVED_OTHERWISE: _of_version(
            "another id answered than the version's own", served=NAME, since=MOMENT
        ),
        _KIND.EVALUATION_ENDED: _of_version(
            "a run is done, failed or was cancelled: see `run_state`",
            **_RUN,
            run_state=_text(12),
            verdict=_text(20),
        ),
        _KIND.BUDGET_REACHED: _of_version(
            "a run stopped at its budget, and goes on when somebody gives it more",
            **_RUN,
            spent_usd=_text(40),
            budget_usd=_or_null(_text(40)),
            spent_tokens=NUMBER,
            budget_tokens=_or_null(NUMBER),
        ),
        _KIND.PROVIDER_FAILING: _of_provider(
            "its checks fail since HOTSWAP_PROVIDER_FAILING_HOURS; once until it answers again",
            since=MOMENT,
            hours=NUMBER,
            error_kind=_text(20),
        ),
        _KIND.KEY_REFUSED: _of_provider(
            "it refuses the key, or there is none; once until it answers again", since=MOMENT
        ),
        _KIND.PROVIDER_RECOVERED: _of_provider(
            "it answers again, after one of the two above", since=MOMENT
        ),
        _KIND.UNTRACKED: _of_provider(
            "samples name models that nobody tracks; at most once an hour, with those that came "
            "since",
            provider_slug=_text(100),
            names={"type": "array", "items": NAME, "maxItems": 20},
            count=NUMBER,
        ),
        _KIND.AUTOMATION_OFF: _of_all("nothing moves by itself any more", reason=_text(300)),
        _KIND.AUTOMATION_ON: _of_all("policies hold again", reason=_text(300)),
        _KIND.SECOND_FACTOR: _of_all(
            "somebody's second factor was switched on or off, got new recovery codes, was reset by "
            "somebody else, or takes no code for a while after too many wrong ones: see `change`",
            person=_text(150),
            change={"enum": ["on", "off", "codes", "reset", "blocked"]},
            reason=_text(500),
        ),
        _KIND.DIGEST: _of_all(
            "a digest of the day or of the week was written for a recipient, who alone gets it",
            digest_id=NUMBER,
            recipient=_text(50),
            span=_text(10),
            day=DAY,
        ),
    }
)
"""Every kind. Its details are exactly these fields, so that nothing slips into a payload."""

_VERSION: Schema = {
    "type": ["object", "null"],
    "properties": {"id": NUMBER, "label": {"type": "string"}, "upstream_id": NAME},
    "required": ["id", "label", "upstream_id"],
}
_ABOUT: Mapping[Subject, Mapping[str, Schema]] = {
    Subject.UPGRADE: {
        "provider": {"type": "string"},
        "model": NAME,
        "state": {"enum": list(State)},
        "origin": {"type": "string"},
        "step": {"type": "string"},
        "from": _VERSION,
        "to": _VERSION,
    },
    Subject.MODEL: {"provider": {"type": "string"}, "model": NAME},
    Subject.VERSION: {
        "provider": {"type": "string"},
        "model": NAME,
        "version": {**_VERSION, "type": "object"},
    },
    Subject.PROVIDER: {"provider": {"type": ["string", "null"]}, "model": {"type": "null"}},
    Subject.ALL: {"provider": {"type": "null"}, "model": {"type": "null"}},
}
"""The fields of a payload that say what it is about."""


def payload_fields(kind: EventKind) -> Mapping[str, Schema]:
    """Return the fields of a kind's payload, each with the schema of its value."""
    described = KINDS[kind]
    return {**_ABOUT[described.about], **described.details}


def schema_of(kind: EventKind) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a kind's message, as webhooks send it.

    It takes fields that it doesn't name: a later release may add some under the same version.
    """
    data: Mapping[str, Schema] = {
        "id": NUMBER,
        "schema_version": {"const": VERSIONS[kind]},
        "sentence": _text(500),
        "actor_kind": {"type": "string"},
        "actor_name": {"type": "string"},
        "link": {"type": "string"},
        **payload_fields(kind),
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:hotswap:event:{kind}:{VERSIONS[kind]}",
        "title": kind.value,
        "description": KINDS[kind].when,
        "type": "object",
        "properties": {
            "type": {"const": kind.value},
            "timestamp": MOMENT,
            "data": {"type": "object", "properties": dict(data), "required": list(data)},
        },
        "required": ["type", "timestamp", "data"],
    }
