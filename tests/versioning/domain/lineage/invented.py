"""Model names that nobody ever used, written by the grammar that makers follow."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

from hypothesis import strategies as st

from versioning.domain.lineage import vocabulary

TIERS = ("", "mini", "large", "flash", "ultra", "swift")  # the last is in no vocabulary
SIZES = ("", "7b", "70b", "8x22b", "30b-a3b")
KINDS = ("", "vision", "code", "embedding", "audio")
PACKAGINGS = ("", "fp8", "awq")
SUFFIXES = ("", ":free", ":batch")
CHANNELS = ("{name}", "{maker}/{name}", "us.{maker}.{name}", "eu.{maker}.{name}")
DATES = ("", "%Y-%m-%d", "%Y%m%d", "%y%m", "%m-%Y")
STAGES = ("", "preview", "exp")
FIRST_DAY = date(2024, 1, 15)

_TAKEN = frozenset(
    {
        *vocabulary.VENDORS,
        *vocabulary.FAMILIES,
        *vocabulary.TIERS,
        *vocabulary.KINDS,
        *vocabulary.TUNINGS,
        *vocabulary.SERVING,
        *vocabulary.HOSTING,
        *vocabulary.FILLERS,
        *vocabulary.PREVIEWS,
        *vocabulary.EXPERIMENTS,
        *vocabulary.ALIASES,
        *vocabulary.LATER,
        *vocabulary.ROUTES,
        *vocabulary.PLACES,
        *vocabulary.CONTAINERS,
        *vocabulary.PRICES,
        *vocabulary.LANGUAGES,
        *vocabulary.ROUTERS,
        *vocabulary.REGIONS,
        *TIERS,
    }
)

words = st.text("abcdefghiklmnoprstuvz", min_size=5, max_size=9).filter(
    lambda word: word not in _TAKEN
)


@dataclass(frozen=True)
class Model:
    """What a maker means; `in_words` is how one channel writes it."""

    maker: str
    family: str
    tier: str
    size: str
    kind: str
    packaging: str
    suffix: str
    channel: str
    dated: str
    generation: tuple[int, int]
    age: int  # months since FIRST_DAY
    stage: str = ""

    @property
    def line(self) -> "Model":
        """Equal for two models exactly where one may follow the other."""
        maker = self.maker if "{maker}" in self.channel else ""
        return replace(self, maker=maker, generation=(0, 0), age=0, stage="", dated="")

    def says_its_size_after(self, other: "Model") -> bool:
        """True for a newer generation that writes the size which its tier had told alone."""
        newly_said = bool(other.tier and not other.size and self.size)
        same = replace(self, size="").line == other.line
        return newly_said and same and self.generation > other.generation

    @property
    def made_on(self) -> date:
        return FIRST_DAY + timedelta(days=31 * self.age)

    @property
    def rank(self) -> tuple[tuple[int, int], int]:
        return self.generation, self.age if self.dated else 0

    def in_words(self) -> str:
        major, minor = self.generation
        parts = [
            self.family,
            f"{major}.{minor}" if minor else str(major),
            self.tier,
            self.size,
            self.kind,
            self.packaging,
            self.stage,
            self.made_on.strftime(self.dated),
        ]
        name = "-".join(part for part in parts if part)
        return self.channel.format(maker=self.maker, name=name) + self.suffix


def generations() -> st.SearchStrategy[tuple[int, int]]:
    return st.tuples(st.integers(1, 9), st.integers(0, 9))


@st.composite
def models(draw: st.DrawFn) -> Model:
    return Model(
        maker=draw(words),
        family=draw(words),
        tier=draw(st.sampled_from(TIERS)),
        size=draw(st.sampled_from(SIZES)),
        kind=draw(st.sampled_from(KINDS)),
        packaging=draw(st.sampled_from(PACKAGINGS)),
        suffix=draw(st.sampled_from(SUFFIXES)),
        channel=draw(st.sampled_from(CHANNELS)),
        dated=draw(st.sampled_from(DATES)),
        generation=draw(generations()),
        age=draw(st.integers(0, 30)),
    )


@st.composite
def relatives(draw: st.DrawFn, of: Model) -> Model:
    """The model with a newer or older version, and perhaps something else changed too."""
    changes: dict[str, object] = {
        "generation": draw(generations()),
        "age": draw(st.integers(0, 30)),
    }
    others = {
        "maker": words,
        "family": words,
        "tier": st.sampled_from(TIERS),
        "size": st.sampled_from(SIZES),
        "kind": st.sampled_from(KINDS),
        "packaging": st.sampled_from(PACKAGINGS),
        "suffix": st.sampled_from(SUFFIXES),
        "stage": st.sampled_from(STAGES),
    }
    for slot in draw(st.sets(st.sampled_from(sorted(others)), max_size=2)):
        changes[slot] = draw(others[slot])
    return replace(of, **changes)  # type: ignore[arg-type]
