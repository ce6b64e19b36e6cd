"""All tables as they are. It stands for the migrations before it, all or none of them."""

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import providers.models
import providers.registry
import simple_history.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    replaces = [
        ('providers', '0001_initial'),
        ('providers', '0002_options_name_prices'),
        ('providers', '0003_key_releases'),
        ('providers', '0004_readable_names'),
    ]

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='HistoricalProvider',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('slug', models.SlugField(help_text='Short name in addresses and commands, such as openrouter. Applications use it, so keep it once models are tracked.')),
                ('name', models.CharField(help_text='What people call it, such as OpenRouter or GPU server Prague.', max_length=100, validators=[providers.models.check_readable])),
                ('kind', models.CharField(choices=providers.registry.kinds, help_text='How to speak to it. vLLM, llama.cpp, Groq, Together and most others take the OpenAI kind with their own base URL.', max_length=40)),
                ('base_url', models.CharField(blank=True, help_text="Where its API starts, such as http://127.0.0.1:8000/v1. Leave it empty for the provider's own public address.", max_length=500, verbose_name='base URL')),
                ('api_key_env', models.CharField(blank=True, help_text='The name of the environment variable with the key, such as OPENAI_API_KEY. The key itself is never stored. Leave it empty where no key is needed.', max_length=128, validators=[providers.models.check_variable_name], verbose_name="key's environment variable")),
                ('options', models.JSONField(blank=True, default=dict, help_text='What else the kind needs, such as {"region": "eu-central-1"} for Bedrock or {"api_version": "2024-10-21"} for Azure. {"input_price": "0.15", "output_price": "0.60"} are USD per million tokens of models that it lists without a price. Leave it as {} otherwise.', validators=[providers.models.check_options])),
                ('enabled', models.BooleanField(default=True, help_text='Ask it in every check. Switch it off to keep its models without asking.')),
                ('timeout_seconds', models.PositiveSmallIntegerField(blank=True, help_text='The longest that listing its models may take, in seconds. Leave it empty for the usual limit; raise it for a slow server of your own.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(3600)])),
                ('key_released_to', models.JSONField(default=list, editable=False, help_text='Which variable may go to which place, each as NAME https://host:port.')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField(db_index=True)),
                ('history_change_reason', models.CharField(max_length=100, null=True)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'historical provider',
                'verbose_name_plural': 'historical providers',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='Provider',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(help_text='Short name in addresses and commands, such as openrouter. Applications use it, so keep it once models are tracked.', unique=True)),
                ('name', models.CharField(help_text='What people call it, such as OpenRouter or GPU server Prague.', max_length=100, validators=[providers.models.check_readable])),
                ('kind', models.CharField(choices=providers.registry.kinds, help_text='How to speak to it. vLLM, llama.cpp, Groq, Together and most others take the OpenAI kind with their own base URL.', max_length=40)),
                ('base_url', models.CharField(blank=True, help_text="Where its API starts, such as http://127.0.0.1:8000/v1. Leave it empty for the provider's own public address.", max_length=500, verbose_name='base URL')),
                ('api_key_env', models.CharField(blank=True, help_text='The name of the environment variable with the key, such as OPENAI_API_KEY. The key itself is never stored. Leave it empty where no key is needed.', max_length=128, validators=[providers.models.check_variable_name], verbose_name="key's environment variable")),
                ('options', models.JSONField(blank=True, default=dict, help_text='What else the kind needs, such as {"region": "eu-central-1"} for Bedrock or {"api_version": "2024-10-21"} for Azure. {"input_price": "0.15", "output_price": "0.60"} are USD per million tokens of models that it lists without a price. Leave it as {} otherwise.', validators=[providers.models.check_options])),
                ('enabled', models.BooleanField(default=True, help_text='Ask it in every check. Switch it off to keep its models without asking.')),
                ('timeout_seconds', models.PositiveSmallIntegerField(blank=True, help_text='The longest that listing its models may take, in seconds. Leave it empty for the usual limit; raise it for a slow server of your own.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(3600)])),
                ('key_released_to', models.JSONField(default=list, editable=False, help_text='Which variable may go to which place, each as NAME https://host:port.')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('timeout_seconds__isnull', True), ('timeout_seconds__range', (1, 3600)), _connector='OR'), name='provider_timeout_from_1_to_3600', violation_error_message='The time limit is from 1 to 3600 seconds.')],
            },
        ),
    ]
