"""Answer "what comes after this model?" for every line of JSON on standard input."""

import json
import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import date
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand

from versioning.domain.lineage import (
    LONGEST_LINE,
    Answer,
    UnreadableName,
    UnreadableQuestion,
    find_successor,
    read_question,
)
from versioning.services import clock


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
        today = clock.local_day(clock.now())
        try:
            for line in lines_of(sys.stdin.buffer):
                answer = answer_of(line, today=today)
                self.stdout.write(json.dumps(answer) if write_json else sentence_of(answer))
                self.stdout.flush()  # whoever asks line by line waits for this answer
        except BrokenPipeError:
            # The reader has enough; without this Python would complain again as it ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def lines_of(stream: BinaryIO) -> Iterator[bytes]:
    """Yield each line; of one that is too long only as much as shows that it is."""
    while line := stream.readline(LONGEST_LINE + 1):
        rest = line
        while len(rest) > LONGEST_LINE and not rest.endswith(b"\n"):
            rest = stream.readline(LONGEST_LINE + 1)
        yield line


def answer_of(line: bytes, *, today: date) -> dict[str, Any]:
    """Answer one line; a line that cannot be read is answered by its error."""
    try:
        question = read_question(line)
    except UnreadableQuestion as error:
        return {"id": error.model_id, "error": str(error)}
    try:
        answer = find_successor(
            question.current, listed=question.listed, provider=question.provider, at=today
        )
    except UnreadableName as error:
        return {"id": question.current.id, "error": str(error)}
    return shown(question.current.id, answer)


def shown(model_id: str, answer: Answer) -> dict[str, Any]:
    """Return the answer as JSON; a maybe has the step `maybe`, and of several none is chosen."""
    maybe = {"maybes": [known.id for known in answer.maybes], "doubt": answer.doubt}
    return {
        "id": model_id,
        "successor": answer.offered.id if answer.offered else None,
        "step": answer.step.value if answer.step else None,
        "confidence": answer.confidence,
        "reasons": list(answer.reasons),
        "runners_up": [{"id": one.id, "why_not": one.why_not} for one in answer.runners_up],
        **(maybe if answer.maybes else {}),
    }


def sentence_of(answer: dict[str, Any]) -> str:
    if "error" in answer:
        return f"Error: {answer['error']}"
    reasons = " ".join(answer["reasons"])
    if "maybes" in answer:
        return f"{answer['id']}: no sure successor. {reasons}"
    if answer["successor"] is None:
        return f"{answer['id']}: no successor. {reasons}"
    return f"{answer['id']} → {answer['successor']} ({answer['step']}). {reasons}"
