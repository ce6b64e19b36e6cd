"""When what runs: django-celery-beat's pages, in the look of the rest."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
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

from versioning.admin.base import SetUpPages

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

    UnfoldAdmin = ModelAdmin[Any]
else:
    from unfold.admin import ModelAdmin as UnfoldAdmin

for schedule in (ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule):
    admin.site.unregister(schedule)


class TaskWidget(UnfoldAdminSelectWidget, TaskSelectWidget):  # type: ignore[misc]
    """The select of registered tasks."""


class TaskForm(PeriodicTaskForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["task"].widget = UnfoldAdminTextInputWidget()
        self.fields["regtask"].widget = TaskWidget()


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(SetUpPages, PlainTaskAdmin, UnfoldAdmin):  # type: ignore[misc]
    form = TaskForm
    list_display = ("name", "enabled", "when", "last_run_at", "total_run_count")
    list_filter = ("enabled",)
    date_hierarchy = None
    ordering = ("name",)

    @admin.display(description="when")
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
