# Notices of faults: about what a subject names, without an upgrade.

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('versioning', '0005_policy_fractions'),
    ]

    operations = [
        migrations.AddField(
            model_name='notice',
            name='last_at',
            field=models.DateTimeField(help_text='When it happened last; empty where it happened once.', null=True),
        ),
        migrations.AddField(
            model_name='notice',
            name='subject',
            field=models.CharField(blank=True, help_text='What it is about, where that is no upgrade.', max_length=200),
        ),
        migrations.AddField(
            model_name='notice',
            name='times',
            field=models.PositiveIntegerField(default=1, help_text='How often it happened while open.'),
        ),
        migrations.AlterField(
            model_name='notice',
            name='kind',
            field=models.CharField(choices=[('canary_paused', 'canary paused'), ('canary_aborted', 'canary aborted'), ('tests_failed', 'tests failed'), ('worse', 'worse after the move'), ('rolled_back', 'rolled back by itself'), ('way_back', 'no way back'), ('approval_fell', 'approval fell'), ('fault', 'went wrong')], max_length=16),
        ),
        migrations.AlterField(
            model_name='notice',
            name='record',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='notices', to='versioning.upgraderecord'),
        ),
        migrations.AddConstraint(
            model_name='notice',
            constraint=models.UniqueConstraint(condition=models.Q(('record', None), ('resolved_at', None)), fields=('subject', 'kind'), name='one_open_notice_per_subject_and_kind'),
        ),
        migrations.AddConstraint(
            model_name='notice',
            constraint=models.CheckConstraint(condition=models.Q(('record', None), ('subject', ''), _connector='XOR'), name='a_notice_is_about_an_upgrade_or_a_subject'),
        ),
    ]
