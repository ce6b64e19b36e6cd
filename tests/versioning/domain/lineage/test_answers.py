"""What beats or completes the grammar: rules, statements, ends, what a name stands for."""

from datetime import date
from typing import Any

import pytest

from versioning.domain.lineage import (
    Answer,
    Known,
    Rules,
    StaffRule,
    StepKind,
    find_successor,
    same_model,
)

TODAY = date(2026, 11, 25)
OLD, NEW = "zeta-2-mini", "zeta-3-mini"


def ask(*listed: Known, rules: Rules | None = None, **facts: Any) -> Answer:
    return find_successor(
        Known(id=OLD, **facts),
        listed=[Known(id=OLD, **facts), *listed],
        rules=rules,
        at=TODAY,
    )


class TestRules:
    def test_a_pin_changes_no_answer_but_is_said(self) -> None:
        answer = ask(
            Known(id=NEW), rules=Rules(pinned=StaffRule(OLD, made_by="Ada", reason="Audit."))
        )

        assert answer.successor == Known(id=NEW)
        assert answer.reasons[0].startswith("Pinned by a rule of Ada (Audit)")

    @pytest.mark.parametrize("pattern", [NEW, NEW.upper(), "zeta-3-*", "*", "zeta-?-mini", "**i"])
    def test_an_ignored_pattern_is_passed_over(self, pattern: str) -> None:
        answer = ask(Known(id=NEW), rules=Rules(ignored=(StaffRule(pattern, made_by="Ada"),)))

        assert answer.successor is None
        assert "Ada" in answer.runners_up[0].why_not

    @pytest.mark.parametrize("pattern", ["zeta-3", "zeta-4-*", "?", "mini*", ""])
    def test_another_pattern_ignores_nothing(self, pattern: str) -> None:
        assert ask(Known(id=NEW), rules=Rules(ignored=(StaffRule(pattern),))).successor

    def test_a_forbidden_id_leaves_the_next_best(self) -> None:
        answer = ask(
            Known(id=NEW),
            Known(id="zeta-4-mini"),
            rules=Rules(forbidden=(StaffRule("zeta-4-mini"),)),
        )

        assert answer.successor == Known(id=NEW)
        assert answer.runners_up[0].why_not == "Forbidden by a rule of the staff."

    def test_a_set_successor_wins_with_its_author(self) -> None:
        rules = Rules(successor=StaffRule("omega-1", made_by="Grace", reason="Contract"))

        answer = ask(Known(id=NEW), Known(id="omega-1"), rules=rules)

        assert (answer.successor, answer.step) == (Known(id="omega-1"), StepKind.REPLACEMENT)
        assert answer.reasons == ("Set by a rule of Grace (Contract).",)

    def test_a_set_successor_of_the_line_keeps_its_kind_of_step(self) -> None:
        assert ask(Known(id=NEW), rules=Rules(successor=StaffRule(NEW))).step is StepKind.MAJOR

    @pytest.mark.parametrize("id", ["omega-1", OLD])
    def test_a_set_successor_that_cannot_be_is_said(self, id: str) -> None:
        answer = ask(Known(id=NEW), rules=Rules(successor=StaffRule(id, made_by="Grace")))

        assert answer.successor is None
        assert "Grace" in answer.reasons[0]


def stated(id: str, day: date | None = date(2026, 10, 1)) -> dict[str, Any]:
    return {
        "status": "deprecated",
        "replacement": id,
        "replacement_source": "acme.example/ends",
        "replacement_dated": day,
    }


class TestStatements:
    def test_outside_the_line_it_comes_first_and_the_upgrade_beside_it(self) -> None:
        answer = ask(Known(id=NEW), Known(id="omega-1"), **stated("omega-1"))

        assert (answer.successor, answer.step) == (Known(id="omega-1"), StepKind.REPLACEMENT)
        assert "1 Oct 2026" in answer.reasons[0]
        assert "acme.example/ends" in answer.reasons[0]
        assert answer.runners_up[0].id == NEW

    def test_an_upgrade_that_came_after_the_statement_is_not_held_back(self) -> None:
        later = Known(id=NEW, released=date(2026, 11, 1))

        answer = ask(later, Known(id="omega-1"), **stated("omega-1"))

        assert (answer.successor, answer.step) == (later, StepKind.MAJOR)
        assert answer.replacement is not None

    def test_inside_the_line_it_decides_between_upgrades(self) -> None:
        answer = ask(Known(id=NEW), Known(id="zeta-4-mini"), **stated(NEW))

        assert (answer.successor, answer.step) == (Known(id=NEW), StepKind.MAJOR)
        assert answer.confidence > ask(Known(id=NEW)).confidence

    @pytest.mark.parametrize("id", ["omega-1", OLD])
    def test_one_that_cannot_be_followed_is_quoted_and_the_upgrade_stands(self, id: str) -> None:
        answer = ask(Known(id=NEW), **stated(id))

        assert answer.successor == Known(id=NEW)
        assert answer.replacement is not None
        assert answer.replacement.id == id

    def test_without_upgrade_an_unlisted_one_is_only_quoted(self) -> None:
        answer = ask(**stated("omega-1"))

        assert answer.successor is None
        assert any("omega-1" in reason for reason in answer.reasons)
        assert "It is not listed." in answer.reasons

    def test_a_preview_is_quoted_and_offered_only_where_allowed(self) -> None:
        preview = Known(id="omega-1-preview")

        refused = ask(preview, **stated(preview.id))
        allowed = ask(preview, rules=Rules(allow_previews=True), **stated(preview.id))

        assert refused.successor is None
        assert allowed.successor == preview

    def test_a_rule_keeps_it_out(self) -> None:
        rules = Rules(forbidden=(StaffRule("omega-1", made_by="Ada"),))

        answer = ask(Known(id="omega-1"), rules=rules, **stated("omega-1"))

        assert answer.successor is None
        assert "Forbidden by a rule of Ada." in answer.reasons


class TestEnds:
    def test_a_model_that_ends_soon_is_nobodys_upgrade(self) -> None:
        assert ask(Known(id=NEW, retires_on=date(2027, 1, 1))).successor is None

    def test_an_end_that_is_years_away_is_no_hindrance(self) -> None:
        assert ask(Known(id=NEW, retires_on=date(2028, 1, 1))).successor

    def test_nobody_moves_to_what_ends_no_later(self) -> None:
        ends = date(2028, 1, 1)
        assert ask(Known(id=NEW, retires_on=ends), retires_on=ends).successor is None

    def test_a_model_that_is_gone_is_remembered(self) -> None:
        gone = Known(id="zeta-2-mini-2026-01-01", released=date(2026, 1, 1))
        older = Known(id=NEW, released=date(2024, 1, 1))

        answer = find_successor(Known(id=gone.id), listed=[older], once_listed=[gone])

        assert answer.successor is None


class TestEmbeddings:
    def test_vectors_must_be_rebuilt(self) -> None:
        current = Known(id="zeta-embedding-2", **stated("omega-embed-1"))
        upgrade = find_successor(Known(id=current.id), listed=[Known(id="zeta-embedding-3")])
        replacement = find_successor(current, listed=[Known(id="omega-embed-1")])

        for answer in (upgrade, replacement):
            assert answer.needs_reembedding
            assert any("rebuilt" in reason for reason in answer.reasons)

    def test_other_models_have_none(self) -> None:
        assert not ask(Known(id=NEW)).needs_reembedding


class TestWhatANameStandsFor:
    @pytest.mark.parametrize(
        "facts",
        [
            {"revision": "acme/zeta-2-mini-20260110"},
            {"aliases": ("zeta-2-mini-20260110", "zeta-mini-latest")},
        ],
    )
    def test_a_told_target_makes_two_names_one_model(self, facts: dict[str, Any]) -> None:
        bare = Known(id="acme/zeta-2-mini", **facts)

        assert same_model(bare, Known(id="acme/zeta-2-mini-2026-01-10"))
        assert not same_model(bare, Known(id="acme/zeta-2-mini-2026-06-10"))

    def test_one_digest_or_repository_is_one_model(self) -> None:
        digest, repository = "sha256:" + "ab" * 32, "acme/Zeta-2-Mini"

        assert same_model(Known(id="zeta", revision=digest), Known(id="zeta-2", revision=digest))
        assert same_model(
            Known(id="zeta", hugging_face_id=repository),
            Known(id="zeta-2", hugging_face_id=repository.lower()),
        )

    def test_a_short_revision_names_nothing(self) -> None:
        assert not same_model(Known(id="zeta-2", revision="001"), Known(id="eta-2", revision="001"))


class TestDoubts:
    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            ({"input_modalities": ("text", "image")}, {"input_modalities": ("text",)}, "image"),
            ({"capabilities": ("tool_call",)}, {"capabilities": ("reasoning",)}, "tool_call"),
            ({"context_tokens": 9000}, {"context_tokens": 8000}, "8,000 tokens"),
            ({"output_price": 1}, {"output_price": 4}, "three times"),
            ({"released": TODAY}, {"released": date(2026, 11, 20)}, "earlier"),
        ],
    )
    def test_a_loss_is_said_and_lowers_confidence(
        self, old: dict[str, Any], new: dict[str, Any], said: str
    ) -> None:
        answer = ask(Known(id=NEW, **new), **old)
        sure = ask(Known(id=NEW, released=TODAY), released=date(2026, 1, 1))

        assert answer.successor
        assert any(said in reason for reason in answer.reasons)
        assert answer.confidence < sure.confidence

    def test_another_output_is_no_upgrade(self) -> None:
        new = Known(id=NEW, output_modalities=("image",))
        assert ask(new, output_modalities=("text",)).successor is None
