"""What the samples say about two versions (first form: no samples are read yet)."""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from versioning.models import ModelVersion


@dataclass(frozen=True, slots=True)
class Evidence:
    verdict: str
    decision: str
    improvement: Decimal | None
    sentence: str
    details: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict,
            "decision": self.decision,
            "improvement": None if self.improvement is None else str(self.improvement),
            "sentence": self.sentence,
            **self.details,
        }

    @property
    def digest(self) -> str:
        return hashlib.sha256(json.dumps(self.as_dict(), sort_keys=True).encode()).hexdigest()


def evidence(
    *, from_version: ModelVersion, to_version: ModelVersion, now: datetime, task: str | None = None
) -> Evidence:
    return Evidence("not_enough_data", "not_enough_evidence", None, "No samples yet.")
