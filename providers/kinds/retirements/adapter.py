"""Published retirement dates: a JSON document that a team, or somebody it trusts, keeps."""

from datetime import datetime
from typing import Any, get_args

from providers import files
from providers.base import (
    Adapter,
    BadItem,
    Connection,
    DatePrecision,
    ListedModel,
    Listing,
    Nonsense,
)
from providers.http import Client, Limits
from providers.http.decoding import Unreadable, decode
from providers.http.fields import read_day, read_id, read_text
from providers.openai_style import read_rows


class Retirements(Adapter):
    """The base URL is the document: http(s), or file:// on this machine.

    A row has provider, id, deprecated_on, retires_on, precision (exact, earliest or tentative),
    replacement and source.
    """

    kind = "retirements"
    label = "Published retirement dates"
    needs_key = False
    supports_completion = False
    supports_retirement = True
    is_enrichment = True
    reads_files = True

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.client = Client(connection)

    def list_models(self, *, at: datetime) -> Listing:
        is_file = self.connection.base_url.startswith("file://")
        document = _read_file(self.connection.base_url) if is_file else self.client.get("").json
        rows = read_rows(document, "retirements")
        return Listing.read(rows, lambda row: _read_model(row, self.connection.base_url), at=at)


def _read_file(address: str) -> Any:
    limits = Limits.from_settings()
    try:
        return decode(files.read_file(address, most=limits.max_bytes), most=limits.max_values)
    except Unreadable as error:
        raise Nonsense(f"The file holds {error}") from error


def _read_model(row: Any, address: str) -> ListedModel:
    model_id = read_id(row, "id")
    deprecated_on, retires_on = read_day(row.get("deprecated_on")), read_day(row.get("retires_on"))
    replacement = read_text(row.get("replacement"))
    if not (deprecated_on or retires_on or replacement):
        raise BadItem(f"({model_id}) has neither a date nor a replacement")
    return ListedModel(
        id=model_id,
        provider=read_id(row, "provider"),
        deprecated_on=deprecated_on,
        retires_on=retires_on,
        retires_precision=_read_precision(row.get("precision")) if retires_on else None,
        replacement=replacement,
        source=read_text(row.get("source")) or address,
    )


def _read_precision(value: Any) -> DatePrecision:
    """Return the precision as the source says; a date without one is not taken as sure."""
    known: tuple[DatePrecision, ...] = get_args(DatePrecision)
    return next((word for word in known if word == value), "tentative")
