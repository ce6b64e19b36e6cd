"""Answer "what comes after this model?" for every line of JSON on standard input."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from versioning.domain.lineage import (
    Answer,
    UnreadableName,
    UnreadableQuestion,
    find_successor,
    read_question,
)


class Command(BaseCommand):
    help = (
        "Reads lines of JSON, {provider, id, listed: [{id, released, ...}, ...]}, and writes for"
        " each the successor of the model, or none, with the reasons. Needs no database."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--json",
            action="store_true",
            help="write lines of JSON to a terminal too; into a file or pipe they always are",
        )

    def handle(self, *args: object, **options: Any) -> None:
        write_json = options["json"] or not self.stdout.isatty()
        for line in sys.stdin.buffer:
            answer = answer_of(line)
            self.stdout.write(json.dumps(answer) if write_json else sentence_of(answer))


def answer_of(line: bytes) -> dict[str, Any]:
    """Answer one line; a line that cannot be read is answered by its error."""
    try:
        question = read_question(line)
        answer = find_successor(
            question.current, listed=question.listed, provider=question.provider
        )
    except (UnreadableQuestion, UnreadableName) as error:
        return {"error": str(error)}
    return shown(question.current.id, answer)


def shown(model_id: str, answer: Answer) -> dict[str, Any]:
    return {
        "id": model_id,
        "successor": answer.successor.id if answer.successor else None,
        "step": answer.step.value if answer.step else None,
        "confidence": answer.confidence,
        "reasons": list(answer.reasons),
        "runners_up": [{"id": one.id, "why_not": one.why_not} for one in answer.runners_up],
    }


def sentence_of(answer: dict[str, Any]) -> str:
    if "error" in answer:
        return f"Error: {answer['error']}"
    reasons = " ".join(answer["reasons"])
    if answer["successor"] is None:
        return f"{answer['id']}: no successor. {reasons}"
    return f"{answer['id']} -> {answer['successor']} ({answer['step']}). {reasons}"
