"""What adapters hand over: listings, models, connections."""

from datetime import date
from decimal import Decimal

import pytest

from providers.base import BadItem, Connection, ListedModel, Listing, Nonsense
from providers.http.pages import MAX_PAGES, follow_pages


def read(row: object) -> ListedModel | None:
    if row == "skip":
        return None
    if not isinstance(row, str):
        raise BadItem("is not a text")
    return ListedModel(row)


def test_a_bad_row_is_dropped_and_said() -> None:
    listing = Listing.read(["a", 7, "b"], read)
    assert [model.id for model in listing.models] == ["a", "b"]
    assert listing.dropped == ("Item 2 is not a text.",)


@pytest.mark.parametrize("rows", [[], [7, 8], ["skip"]])
def test_a_listing_without_models_is_not_believed(rows: list[object]) -> None:
    with pytest.raises(Nonsense, match="no models"):
        Listing.read(rows, read)


def test_two_rows_of_one_id_are_one_model() -> None:
    rows = [
        ListedModel("a", aliases=("x",), context_tokens=1),
        ListedModel("a", aliases=("a", "y"), context_tokens=2, output_tokens=3),
    ]
    (model,) = Listing.read(rows, lambda row: row).models
    assert model == ListedModel("a", aliases=("x", "y"), context_tokens=1, output_tokens=3)


def test_two_providers_may_have_the_same_id() -> None:
    rows = [ListedModel("a", provider="x"), ListedModel("a", provider="y")]
    assert len(Listing.read(rows, lambda row: row).models) == 2


def test_what_is_open_is_filled_and_nothing_else() -> None:
    known = ListedModel("a", name="A", input_price=Decimal(0))
    more = ListedModel("b", name="B", input_price=Decimal(9), retires_on=date(2025, 3, 1))
    filled = known.filled_from(more)
    assert (filled.id, filled.name, filled.input_price) == ("a", "A", 0)
    assert filled.retires_on == date(2025, 3, 1)


def test_a_model_is_called_by_id_alias_and_provider() -> None:
    model = ListedModel("a", provider="p", aliases=("latest",))
    assert all(model.is_called(name) for name in ("a", "latest", "p/a"))
    assert not model.is_called("p/latest")
    assert not ListedModel("a").is_called("/a")


def test_a_connection_hides_its_key() -> None:
    assert "secret" not in repr(Connection("https://api.example", api_key="secret"))


def test_pages_are_followed_to_the_end() -> None:
    pages = {"1": "2", "2": "3", "3": ""}
    assert list(follow_pages(lambda mark: mark, "1", pages.__getitem__)) == ["1", "2", "3"]


def test_pages_in_a_circle_are_not_believed() -> None:
    with pytest.raises(Nonsense, match="circle"):
        list(follow_pages(lambda mark: mark, "1", {"1": "2", "2": "1"}.__getitem__))


def test_pages_without_end_are_not_believed() -> None:
    asked: list[str] = []
    with pytest.raises(Nonsense, match="pages"):
        list(follow_pages(lambda mark: asked.append(mark) or mark, "1", lambda page: page + "1"))
    assert len(asked) == MAX_PAGES
