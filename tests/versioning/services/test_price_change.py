"""What a month's requests cost at other prices: exact, and unknown where a price is missing."""

import datetime as dt
from decimal import Decimal

import pytest
from django.test import Client

from tests.versioning.admin.conftest import recommend
from tests.versioning.admin.pages import address, text
from versioning.models import ModelVersion, Policy, UpgradeRecord
from versioning.services.evidence import price_change
from versioning.services.evidence.price_change import PriceChange
from versioning.services.samples import ingestion
from versioning.services.samples.incoming import SampleIn

pytestmark = pytest.mark.django_db
NOW = dt.datetime.now(dt.UTC)
DAY = dt.timedelta(days=1)


@pytest.fixture
def record() -> UpgradeRecord:
    return recommend()


def served(record: UpgradeRecord, *, requests: int, days_ago: int = 2, output: int = 500) -> None:
    assert record.from_version is not None
    model = record.tracked_model
    sample = SampleIn(
        provider=model.provider.slug, model=model.name, time=NOW - days_ago * DAY, task="t",
        resolved_id=record.from_version.upstream_id, input_tokens=2_000, output_tokens=output,
    )  # fmt: skip
    ingestion.accept([sample] * requests, api_key_id=None, now=NOW)


def priced(version: ModelVersion | None, *, input: str, output: str, **more: object) -> None:
    assert version is not None
    ModelVersion.objects.filter(pk=version.pk).update(
        input_price=Decimal(input), output_price=Decimal(output), **more
    )


def month(record: UpgradeRecord) -> PriceChange | None:
    record.refresh_from_db()
    assert record.from_version is not None
    return price_change.of_last_month(
        from_version=record.from_version, to_version=record.to_version, now=NOW
    )


def test_it_is_exact_and_counts_a_fee_for_each_request(record: UpgradeRecord) -> None:
    served(record, requests=100)
    served(record, requests=100, days_ago=40)  # of another month
    priced(record.from_version, input="1", output="2")
    priced(
        record.to_version,
        input="0.5",
        output="1",
        other_prices=[{"part": "request", "usd": "0.01"}],
    )

    found = month(record)

    assert found is not None
    assert (found.requests, found.input_tokens, found.output_tokens) == (100, 200_000, 50_000)
    assert found.before == Decimal("0.3")  # 0.2 + 0.1
    assert found.after == Decimal("1.15")  # half of it, and a cent a request
    assert found.relative == pytest.approx(Decimal("2.8333"), abs=Decimal("0.001"))


def test_what_is_not_known_is_said(record: UpgradeRecord) -> None:
    assert month(record) is None
    served(record, requests=3)
    priced(record.from_version, input="1", output="2")

    found = month(record)

    assert found is not None
    assert (found.after, found.relative) == (None, None)
    assert found.unknown.startswith("1.1.0: The cost is unknown")


def test_the_sheet_says_what_the_month_costs_and_until_when_one_can_go_back(
    record: UpgradeRecord, admin_client: Client
) -> None:
    served(record, requests=1000)
    priced(record.from_version, input="1", output="2", retires_on=(NOW + 90 * DAY).date())
    priced(record.to_version, input="0.5", output="1")
    Policy.objects.create(watch_days=3, rollback_by_itself=True)

    page = text(admin_client.get(address(record, "change")))

    assert "At the prices of 1.0.0 $3.00, at those of 1.1.0 $1.50 (<strong>-50 %</strong>)" in page
    assert "1,000 requests; tokens in 2,000,000, out 500,000" in page
    assert "The way back is open until zeta-writer-1 retires on" in page
    assert "watched for 3 days; where it is worse, it is rolled back by itself" in page
