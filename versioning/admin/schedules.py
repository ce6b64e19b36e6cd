"""When what runs: django-celery-beat's pages, in the look of the rest."""

import json
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.utils.translation import gettext_lazy
from django_celery_beat.admin import (
    ClockedScheduleAdmin as PlainClockedAdmin,
)
from django_celery_beat.admin import (
    CrontabScheduleAdmin as PlainCrontabAdmin,
)
from django_celery_beat.admin import (
    PeriodicTaskAdmin as PlainTaskAdmin,
)
from django_celery_beat.admin import PeriodicTaskForm, TaskSelectWidget
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from providers.moments import stamp
from providers.row_fields import FormWithRows, PairsField, RowsField, Typed
from versioning.admin.base import SetUpPages
from versioning.admin.value_rows import ArgumentRow, ValueRow, exactly

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

    UnfoldAdmin = ModelAdmin[Any]
else:
    from unfold.admin import ModelAdmin as UnfoldAdmin

# It calls itself what machines write, on every page that names one.
ClockedSchedule.__str__ = lambda clocked: stamp(clocked.clocked_time)

for schedule in (ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule):
    admin.site.unregister(schedule)


class KeptAsText:
    """Rows whose value the table keeps as text that is JSON."""

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, str):
            return super().prepare_value(value)  # type: ignore[misc]
        try:
            return super().prepare_value(json.loads(value))  # type: ignore[misc]
        except ValueError:
            return Typed(text=value)

    def clean(self, value: Any) -> Any:
        return json.dumps(super().clean(value))  # type: ignore[misc]

    def _means(self, value: Any) -> Any:
        return exactly(json.loads(value))


class ArgumentsField(KeptAsText, RowsField):
    """Arguments by their place."""


class NamedArgumentsField(KeptAsText, PairsField):
    """Arguments, or headers, by name."""


class TaskWidget(UnfoldAdminSelectWidget, TaskSelectWidget):  # type: ignore[misc]
    """The select of registered tasks."""


class TaskForm(FormWithRows, PeriodicTaskForm):  # type: ignore[misc]
    args = ArgumentsField(
        row=ArgumentRow,
        one=gettext_lazy("argument"),
        is_sorted=True,
        label=gettext_lazy("Arguments by place"),
        help_text=gettext_lazy("Tasks of ours take none by place."),
    )
    kwargs = NamedArgumentsField(
        row=ValueRow,
        one=gettext_lazy("argument"),
        label=gettext_lazy("Arguments by name"),
        help_text=gettext_lazy("For example provider_id, a number, 3."),
    )
    headers = NamedArgumentsField(
        label=gettext_lazy("Headers"),
        row=ValueRow,
        one=gettext_lazy("header"),
        help_text=gettext_lazy("Sent with the message; ours need none."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["task"].widget = UnfoldAdminTextInputWidget()
        self.fields["regtask"].widget = TaskWidget()


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(SetUpPages, PlainTaskAdmin, UnfoldAdmin):  # type: ignore[misc]
    form = TaskForm
    # The package's own has a script within the page, which the policy of pages stops; what it says
    # stands in crontab_translation.
    change_form_template = None
    list_display = ("name", "enabled", "when", "last_run_at", "total_run_count")
    list_filter = ("enabled",)
    date_hierarchy = None
    ordering = ("name",)

    @admin.display(description=gettext_lazy("when"))
    def when(self, task: Any) -> str:
        if task.crontab:
            return str(task.crontab.human_readable)
        return str(task.interval or task.solar or task.clocked)


@admin.register(CrontabSchedule)
class CrontabAdmin(SetUpPages, PlainCrontabAdmin, UnfoldAdmin):  # type: ignore[misc]
    pass


@admin.register(ClockedSchedule)
class ClockedAdmin(SetUpPages, PlainClockedAdmin, UnfoldAdmin):  # type: ignore[misc]
    pass


@admin.register(IntervalSchedule)
class IntervalAdmin(SetUpPages, UnfoldAdmin):
    list_display = ("__str__", "every", "period")
