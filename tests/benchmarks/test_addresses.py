"""What is measured is whole: every list of the admin has rows, and every page of it is asked."""

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from benchmarks import addresses, world
from tests.versioning.admin.pages import outermost
from versioning.models import ApiKey

pytestmark = pytest.mark.django_db
SMALL = world.Size(models=4, versions=48, records=80, checks=40)


def test_every_list_of_the_admin_has_rows():
    world.make(SMALL)
    empty = [
        model.__name__
        for model in admin.site._registry
        if model._meta.app_label in ("providers", "versioning") and not model.objects.exists()
    ]
    assert not empty


def test_every_page_of_the_admin_opens_and_asks_few_queries(
    admin_client: Client, django_assert_max_num_queries
):
    world.make(SMALL)
    walked = list(addresses.of_admin())
    lists = {f"/admin/{m._meta.app_label}/{m._meta.model_name}/" for m in admin.site._registry}
    assert not lists - set(walked)
    for address in walked:
        if "?" in address:
            continue
        with django_assert_max_num_queries(60, info=address):
            answer = admin_client.get(address)
        assert answer.status_code in (200, 302, 403, 405), address


def test_no_read_of_the_api_sorts_or_counts_a_whole_table(client: Client):
    """PostgreSQL's index of a key has empty values first from its end: to ask otherwise sorts."""
    world.make(SMALL)
    secret, prefix, hashed = ApiKey.make_secret()
    ApiKey.objects.create(name="reads", scopes=["read", "setup"], prefix=prefix, hashed=hashed)
    headers = {"Authorization": f"Bearer {secret}"}
    walked = list(addresses.of_api(client, headers))
    assert len(walked) > 60
    for address in walked:
        with CaptureQueriesContext(connection) as asked:
            assert client.get(address, headers=headers).status_code < 500, address
        for query in asked.captured_queries:
            said = outermost(query["sql"])
            assert '"id" DESC NULLS LAST' not in said, f"{address}: {said}"
            assert "LIMIT" not in said or "GROUP BY" not in said, f"{address}: {said}"
