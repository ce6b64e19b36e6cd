"""Names that Django takes from the code are there for translators, too."""

from django.apps import apps
from django.utils.functional import Promise

from versioning.models import ModelVersion, names


def test_each_name_that_the_code_gives_is_in_the_list() -> None:
    assert {str(name) for name in names.NAMES} == names.taken_from_code(apps.get_models())


def test_they_are_said_in_the_language_of_the_reader() -> None:
    assert isinstance(ModelVersion._meta.get_field("upstream_id").verbose_name, Promise)
    assert isinstance(ModelVersion._meta.verbose_name_plural, Promise)
