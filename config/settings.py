"""All settings, from the environment; a clone runs with none set.

Every variable is listed in ``.env.example``. A value that can't be used stops the start
with the variable's name.
"""

import os
import secrets
from contextlib import suppress
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from config.sqlite import spare_postgres, use_newest_sqlite

SQLITE_JOURNAL = use_newest_sqlite()
# What Hotswap writes is for the user that it runs as: figures, sessions, hashes of keys.
os.umask(0o077)

from django.core.exceptions import ImproperlyConfigured  # noqa: E402

from config import __version__, environment, lost_connections, places  # noqa: E402
from config.environment import (  # noqa: E402
    names_of_variables,
    read_bool,
    read_choice,
    read_int,
    read_list,
    read_mapping,
    read_networks,
    read_secrets_keys,
    read_text,
    read_zone,
)
from config.unfold import UNFOLD  # noqa: E402, F401  (the admin's looks)

BASE_DIR = places.CODE

environment.read_file(places.HOME / ".env")


DATA_DIR = Path(read_text("HOTSWAP_DATA_DIR", str(places.DATA))).resolve()


def data_folder(*names: str) -> Path:
    """Return a folder within the data folder, made now; ImproperlyConfigured where it can't be."""
    folder = DATA_DIR.joinpath(*names)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _not_writable(error) from error
    return folder


def _not_writable(error: OSError) -> ImproperlyConfigured:
    return ImproperlyConfigured(
        f"Can't write to {DATA_DIR} ({error.strerror}). Make it writable, or name another folder "
        "in HOTSWAP_DATA_DIR."
    )


def close_to_others(*files: Path) -> None:
    """Take from all other users what an earlier release, or a looser umask, had left them.

    The group keeps what it has: somebody may have let a back-up in. What is not ours stays.
    """
    for file in files:
        with suppress(OSError):
            mode = file.stat().st_mode
            if mode & 0o007:
                file.chmod(mode & 0o770)


def secret_key() -> str:
    """Return SECRET_KEY, else the one made at the first start and kept in the data folder."""
    given = read_text("SECRET_KEY", "")
    if given:
        return given
    file = data_folder() / "secret_key"
    aside = file.with_name(f".secret_key.{os.getpid()}")
    try:
        if not file.exists():
            aside.touch(mode=0o600)
            aside.write_text(secrets.token_urlsafe(50))
            with suppress(FileExistsError):
                os.link(aside, file)  # the first of several processes wins
            aside.unlink()
        return file.read_text()
    except OSError as error:
        raise _not_writable(error) from error


data_folder()  # on a further machine nothing else makes it, and processes share a mark there
SECRET_KEY = secret_key()
DEBUG = read_bool("DEBUG", False)
ALLOWED_HOSTS = read_list("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = read_list("CSRF_TRUSTED_ORIGINS", [])
BEHIND_HTTPS = read_bool("BEHIND_HTTPS", False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_HTTPS else None
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if BEHIND_HTTPS else 0
# Pages go on over HTTPS. Programs are not redirected: their key would have been sent already.
SECURE_SSL_REDIRECT = BEHIND_HTTPS
SECURE_REDIRECT_EXEMPT = [r"^(api|v1)/", r"^(livez|readyz|metrics)/?$"]
# Whether all other names of the domain are HTTPS alone is not ours to say.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"

INSTALLED_APPS = [
    "config.admin_site.AdminSiteConfig",  # Unfold
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.simple_history",
    "django.contrib.admin.apps.SimpleAdminConfig",  # config/admin_site.py loads the pages
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.forms",  # its templates, for FORM_RENDERER
    "simple_history",
    "axes",
    "django_celery_beat",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "providers",
    "versioning",
]

MIDDLEWARE = [
    "versioning.api.middleware.RequestIdMiddleware",
    "config.logs.RequestIdOfLogMiddleware",
    "versioning.api.middleware.RateLimitMiddleware",
    "versioning.api.problems.ProblemsMiddleware",
    "versioning.api.bodies.PiecesMiddleware",
    "config.content_policy.ContentPolicyMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "config.second_factor.SecondFactorMiddleware",  # before all that asks who somebody is
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "config.reader_zone.ReaderZoneMiddleware",
    "axes.middleware.AxesMiddleware",  # last: it gives the answer to a sign-in it has refused
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
# Widgets are drawn by the project's own templates, too.
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [places.SHIPPED / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "versioning.admin.standstills.on_every_page",
                "versioning.admin.people.ways_to_sign_in",
                "versioning.admin.saved_filters.on_lists",
            ],
        },
    },
]


SQLITE_FILE = "hotswap.sqlite3"
# A cut cable or a machine that lost its power says nothing: who waits for it would do so for hours.
LOST_AFTER_SECONDS = read_int("HOTSWAP_LOST_AFTER_SECONDS", 20, least=4, most=600)


def database() -> dict[str, Any]:
    """Return the connection of DATABASE_URL, with the options that several processes need."""
    url = read_text("DATABASE_URL", "")
    if url and not url.startswith(("sqlite:///", "postgres://", "postgresql://")):
        raise ImproperlyConfigured(
            "DATABASE_URL must start with sqlite:/// (a file's absolute path follows) or postgres://."
        )
    try:
        connection = environment.database_of(url or f"sqlite:///{data_folder()}/{SQLITE_FILE}")
    except ValueError as error:  # its text may hold the password
        raise ImproperlyConfigured("DATABASE_URL can't be read as a database's URL.") from error
    if connection["ENGINE"] == "django.db.backends.sqlite3":
        # IMMEDIATE: a transaction that reads first and writes later would fail with
        # "database is locked" whenever another process wrote in between.
        # Checkpoints every 64 MB: samples touch a thousand pages of an index with each batch,
        # and the default of 4 MB would write these pages back after every single one.
        connection["OPTIONS"] = {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": (
                f"PRAGMA journal_mode={SQLITE_JOURNAL};PRAGMA synchronous=NORMAL;"
                "PRAGMA foreign_keys=ON;PRAGMA cache_size=-20000;PRAGMA temp_store=MEMORY;"
                "PRAGMA journal_size_limit=67108864;PRAGMA wal_autocheckpoint=16384;"
            ),
        }
        connection["CONN_MAX_AGE"] = 600
        for suffix in ("", "-wal", "-shm", "-journal"):
            close_to_others(Path(connection["NAME"] + suffix))
    else:
        connection["CONN_MAX_AGE"] = 600
        connection["CONN_HEALTH_CHECKS"] = True
        noticing = lost_connections.of_postgres(seconds=LOST_AFTER_SECONDS)
        connection["OPTIONS"] = {**noticing, **connection.get("OPTIONS", {})}  # the URL's win
    return connection


DATABASES = {"default": database()}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    spare_postgres()
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

_RULES_OF_PASSWORDS: dict[str, dict[str, Any]] = {
    "UserAttributeSimilarityValidator": {},
    "MinimumLengthValidator": {"min_length": 12},
    "CommonPasswordValidator": {},
    "NumericPasswordValidator": {},
}
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in _RULES_OF_PASSWORDS.items()
]
# Single sign-on by OpenID Connect (config/sso.py), where an identity provider is named.
OIDC_ISSUER = read_text("HOTSWAP_OIDC_ISSUER", "")
OIDC_NAME = read_text("HOTSWAP_OIDC_NAME", "single sign-on")
_OIDC_CLIENT = (
    read_text("HOTSWAP_OIDC_CLIENT_ID", ""),
    read_text("HOTSWAP_OIDC_CLIENT_SECRET", ""),
)
_OIDC_GROUPS = read_mapping("HOTSWAP_OIDC_GROUPS")
LOCAL_PASSWORDS = read_bool("HOTSWAP_LOCAL_PASSWORDS", True)
if not LOCAL_PASSWORDS and not OIDC_ISSUER:
    raise ImproperlyConfigured(
        "HOTSWAP_LOCAL_PASSWORDS is false, and HOTSWAP_OIDC_ISSUER names no identity provider: "
        "nobody could sign in."
    )
if OIDC_ISSUER:
    if not OIDC_ISSUER.startswith(("https://", "http://")):
        raise ImproperlyConfigured("HOTSWAP_OIDC_ISSUER must start with https://.")
    if not (_OIDC_CLIENT[0] and _OIDC_GROUPS):
        raise ImproperlyConfigured(
            "HOTSWAP_OIDC_ISSUER is set, and needs HOTSWAP_OIDC_CLIENT_ID and HOTSWAP_OIDC_GROUPS."
        )
    if find_spec("allauth") is None:
        raise ImproperlyConfigured(
            "HOTSWAP_OIDC_ISSUER is set, and django-allauth is not installed: make setup-sso, or "
            "install requirements-sso.lock."
        )
    # Before ours, so that its tables' pages can be taken out of the admin (admin/people.py).
    INSTALLED_APPS[:0] = [
        "allauth",
        "allauth.account",
        "allauth.socialaccount",
        "allauth.socialaccount.providers.openid_connect",
    ]
    MIDDLEWARE.append("allauth.account.middleware.AccountMiddleware")
    ACCOUNT_ADAPTER = "config.sso.Accounts"
    SOCIALACCOUNT_ADAPTER = "config.sso.SocialAccounts"
    SOCIALACCOUNT_ONLY = True
    SOCIALACCOUNT_LOGIN_ON_GET = True  # a form that leads elsewhere would need another policy
    SOCIALACCOUNT_REQUESTS_TIMEOUT = 10
    ACCOUNT_EMAIL_VERIFICATION = "none"
    ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if BEHIND_HTTPS else "http"
    ACCOUNT_RATE_LIMITS = False  # axes has the one limit there is; here nobody types a password
    SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {
            "OAUTH_PKCE_ENABLED": True,
            "APPS": [
                {
                    "provider_id": "sso",
                    "name": OIDC_NAME,
                    "client_id": _OIDC_CLIENT[0],
                    "secret": _OIDC_CLIENT[1],
                    "settings": {"server_url": OIDC_ISSUER.rstrip("/")},
                }
            ],
        }
    }

# The second factor of those who sign in with a password: for whoever wants one, or required.
SECOND_FACTOR = read_choice("HOTSWAP_SECOND_FACTOR", "OPTIONAL", ("OPTIONAL", "REQUIRED"))
_SECRETS_KEYS = read_secrets_keys("HOTSWAP_SECRETS_KEY")
if SECOND_FACTOR == "REQUIRED" and not _SECRETS_KEYS:
    raise ImproperlyConfigured(
        "HOTSWAP_SECOND_FACTOR is required, and HOTSWAP_SECRETS_KEY is not set: nobody could "
        "switch one on. Make a key with: manage.py secrets_key"
    )

# Guessing a password ends after so many tries, for the name and the address together: so nobody
# can lock somebody else out from elsewhere. Whoever waits can try again.
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "config.backends.Passwords" if LOCAL_PASSWORDS else "config.backends.NoPasswords",
]
AXES_FAILURE_LIMIT = read_int("HOTSWAP_SIGN_IN_TRIES", 10, least=3, most=1000)
AXES_COOLOFF_TIME = timedelta(
    minutes=read_int("HOTSWAP_SIGN_IN_WAIT_MINUTES", 15, least=1, most=1440)
)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # who tries on doesn't wait for ever
AXES_LOCKOUT_CALLABLE = "versioning.admin.people.locked_out"
AXES_CLIENT_IP_CALLABLE = "versioning.api.middleware.address_of"
AXES_DISABLE_ACCESS_LOG = True  # the history of a user's page has it
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
# Counted from the sign-in, not from the last request: pages that look again by themselves would
# keep it open for ever, and each look would write a row.
SESSION_COOKIE_AGE = read_int("HOTSWAP_SESSION_HOURS", 12, least=1, most=24 * 30) * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CSRF_FAILURE_VIEW = "versioning.api.problems.csrf_failure"
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

LANGUAGE_CODE = "en"
FORMAT_MODULE_PATH = "config.formats"
USE_I18N = True
TIME_ZONE = read_zone("TIME_ZONE", "UTC")
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [places.SHIPPED / "static"]
WHITENOISE_ROOT = places.SHIPPED / "static" / "root"  # /favicon.ico, asked for by name
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

DATA_UPLOAD_MAX_MEMORY_SIZE = 32 * 1024 * 1024

# Mails: reminders to owners, and notices to people. Without a host none are sent, and staff see it.
EMAIL_HOST = read_text("EMAIL_HOST", "")
EMAIL_TLS = read_choice("EMAIL_TLS", "STARTTLS", ("STARTTLS", "FROM_START", "OFF"))
EMAIL_USE_TLS, EMAIL_USE_SSL = EMAIL_TLS == "STARTTLS", EMAIL_TLS == "FROM_START"
EMAIL_PORT = read_int(
    "EMAIL_PORT", {"STARTTLS": 587, "FROM_START": 465, "OFF": 25}[EMAIL_TLS], least=1, most=65535
)
EMAIL_HOST_USER = read_text("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = read_text("EMAIL_HOST_PASSWORD", "")
EMAIL_TIMEOUT = read_int("EMAIL_TIMEOUT", 15, least=1, most=120)
EMAIL_BACKEND = "providers.http.smtp.Mails"
DEFAULT_FROM_EMAIL = SERVER_EMAIL = read_text("EMAIL_FROM", f"hotswap@{EMAIL_HOST or 'localhost'}")

# Nothing is kept in a process's memory: what the menu's search found, Unfold would show again to
# somebody who is in the team no more.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}

# Celery: no state lives in the broker. The tables are the queues, and beat sweeps them, so a
# message that is lost only delays.
CELERY_BROKER_URL = read_text("CELERY_BROKER_URL", "localfs://")
if CELERY_BROKER_URL.split("://")[0] not in {"localfs", "redis", "rediss", "amqp", "amqps"}:
    raise ImproperlyConfigured(
        "CELERY_BROKER_URL must start with localfs://, redis://, rediss://, amqp:// or amqps://."
    )
if CELERY_BROKER_URL.startswith("localfs"):
    messages = str(data_folder("queue", "messages"))
    close_to_others(DATA_DIR / "queue")
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": messages,
        "data_folder_out": messages,
        "control_folder": str(data_folder("queue", "control")),
    }
else:
    CELERY_BROKER_TRANSPORT_OPTIONS = lost_connections.of_broker(
        CELERY_BROKER_URL, seconds=LOST_AFTER_SECONDS
    )
CELERY_BROKER_HEARTBEAT = LOST_AFTER_SECONDS  # of RabbitMQ; half of it passes between two
CELERY_BROKER_CONNECTION_TIMEOUT = lost_connections.reach_within(seconds=LOST_AFTER_SECONDS)
# Somebody waits for the answer while a message is sent, and what is lost is swept for anyway.
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0}
# Nobody gives workers orders over the queue. With it a machine's second worker, or one that is back
# before RabbitMQ has noticed its end, would find its name taken, and stop.
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_TASK_IGNORE_RESULT = True
# The longest step is an evaluation run; what is cut off is gone on with by the next sweep. The hard
# limit, which kills, leaves the soft one time to write down where it is.
CELERY_TASK_SOFT_TIME_LIMIT = 50 * 60
CELERY_TASK_TIME_LIMIT = 55 * 60
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULER = "config.scheduler:Scheduler"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_RESULT_EXPIRES = None  # no results are kept, so beat needs no row to clean them up

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "versioning.api.authentication.ApiKeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["versioning.api.permissions.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "versioning.api.problems.problem_response",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Hotswap API",
    "DESCRIPTION": "Which version of each AI model to use now, and what each request gave.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "DEFAULT_GENERATOR_CLASS": "versioning.api.description.OnceGenerator",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "PREPROCESSING_HOOKS": ["versioning.api.description.one_address_each"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "versioning.api.description.for_generators",
        "versioning.api.description.with_ingestion",
        "versioning.api.description.with_evidence",
    ],
    "ENUM_NAME_OVERRIDES": {
        "EventKind": "versioning.api.serializers.events.KINDS",
        "UpgradeState": "versioning.api.serializers.upgrades.STATES",
        "WaitingState": ["recommended", "snoozed"],
        "CheckState": "versioning.api.serializers.checks.STATES",
        "RunState": "versioning.api.serializers.evaluation.RUN_STATES",
        "FindingKind": "versioning.api.serializers.checks.FINDINGS",
        "LineageRuleKind": "versioning.api.serializers.setup.RULES",
        "ProviderKind": "versioning.api.serializers.setup.KINDS",
    },
}

TRACES_URL = read_text("HOTSWAP_TRACES_URL", "").rstrip("/")
if TRACES_URL:
    if not TRACES_URL.startswith(("https://", "http://")):
        raise ImproperlyConfigured("HOTSWAP_TRACES_URL must start with https:// or http://.")
    if find_spec("opentelemetry.instrumentation") is None:
        raise ImproperlyConfigured(
            "HOTSWAP_TRACES_URL is set, and what makes traces is not installed: make "
            "setup-tracing, or install requirements-tracing.lock."
        )

# What Hotswap itself can be told.
HOTSWAP: dict[str, Any] = {
    "VERSION": __version__,
    # Requests are still taken for so long after /readyz says that the server is about to stop.
    "DRAIN_SECONDS": read_int("HOTSWAP_DRAIN_SECONDS", 0, least=0, most=10),
    # A server is everybody's clock (services/clock.py); with a file there is one machine alone.
    "CLOCK_OF_DATABASE": not DATABASES["default"]["ENGINE"].endswith("sqlite3"),
    # SQL by which PostgreSQL notices that a client has vanished.
    "PROBES_OF_CLIENTS": lost_connections.on_the_server(seconds=LOST_AFTER_SECONDS),
    # Where traces of its own work go (config/tracing.py); empty: none are made.
    "TRACES_URL": TRACES_URL,
    # How many proxies stand in front, each of which says in X-Forwarded-For whom it was asked by.
    "PROXIES": read_int("HOTSWAP_PROXIES", int(BEHIND_HTTPS), least=0, most=10),
    # The button of the sign-in page; empty: there is none.
    "SINGLE_SIGN_ON": OIDC_NAME if OIDC_ISSUER else "",
    "LOCAL_PASSWORDS": LOCAL_PASSWORDS,
    "SECOND_FACTOR": SECOND_FACTOR.lower(),
    # Whether whoever comes from the identity provider is asked here, too.
    "SECOND_FACTOR_AFTER_SSO": read_bool("HOTSWAP_SECOND_FACTOR_AFTER_SSO", False),
    "OIDC_GROUPS_CLAIM": read_text("HOTSWAP_OIDC_GROUPS_CLAIM", "groups"),
    "OIDC_GROUPS": _OIDC_GROUPS,
    "KEY_REQUESTS_A_MINUTE": read_int(
        "HOTSWAP_KEY_REQUESTS_A_MINUTE", 120_000, least=1, most=100_000_000
    ),
    "CHECK_HOUR": read_int("HOTSWAP_CHECK_HOUR", 2, least=0, most=23),
    # How long a version may be missing from good listings before it counts as gone.
    "GONE_AFTER_LISTINGS": read_int("HOTSWAP_GONE_AFTER_LISTINGS", 3, least=2, most=100),
    "GONE_AFTER": timedelta(hours=read_int("HOTSWAP_GONE_AFTER_HOURS", 48, least=1, most=24 * 90)),
    # After so long without a good check of a provider people are told.
    "PROVIDER_FAILING_AFTER": timedelta(
        hours=read_int("HOTSWAP_PROVIDER_FAILING_HOURS", 24, least=1, most=24 * 30)
    ),
    # May a model be asked for directly, beside the list: not at all (off), by its address, which
    # is free (look), or also with a chat of one token (call); and how many of these calls a
    # provider gets in a day.
    "WITNESS": read_choice("HOTSWAP_WITNESS", "call", ("OFF", "LOOK", "CALL")).lower(),
    "WITNESS_CALLS_A_DAY": read_int("HOTSWAP_WITNESS_CALLS_A_DAY", 20, least=0, most=10_000),
    # A listing that lost more than this share of yesterday's is not believed at once.
    "SHRUNK_SHARE": 0.5,
    "RETENTION": timedelta(days=read_int("HOTSWAP_RETENTION_DAYS", 90, least=1, most=3650)),
    "MAX_BATCH": 10_000,
    "MAX_BODY_BYTES": 16 * 1024 * 1024,
    # Variables that providers may have as their keys, beside those that the kinds themselves use.
    "PROVIDER_KEYS": names_of_variables(
        "HOTSWAP_PROVIDER_KEYS", read_list("HOTSWAP_PROVIDER_KEYS", [])
    ),
    # The one folder that file:// addresses of providers may lead to.
    "FILES_DIR": str(Path(read_text("HOTSWAP_FILES_DIR", str(DATA_DIR / "files"))).resolve()),
    # Under which secrets that Hotswap must read itself are kept: the first encrypts.
    "SECRETS_KEYS": _SECRETS_KEYS,
    # Where webhooks may go beside the internet.
    "WEBHOOK_NETWORKS": read_networks("HOTSWAP_WEBHOOK_NETWORKS"),
    # Where people open its pages; empty: links in messages are left out.
    "PUBLIC_URL": read_text("HOTSWAP_PUBLIC_URL", "").rstrip("/"),
    "HTTP_CONNECT_SECONDS": read_int("HOTSWAP_HTTP_CONNECT_SECONDS", 5, least=1, most=60),
    "HTTP_READ_SECONDS": read_int("HOTSWAP_HTTP_READ_SECONDS", 30, least=1, most=600),
    "HTTP_TOTAL_SECONDS": read_int("HOTSWAP_HTTP_TOTAL_SECONDS", 120, least=1, most=3600),
    "HTTP_MAX_BYTES": read_int("HOTSWAP_HTTP_MAX_BYTES", 8 * 1024 * 1024, least=1024, most=1024**3),
    # Quality of a sample when the client gives signals and no score: the share each one has.
    "SIGNAL_WEIGHTS": {
        "valid_output": 0.3,
        "user_feedback": 0.4,
        "retries": 0.15,
        "latency_budget": 0.15,
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"},
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "fmt": ["levelname", "name", "message", "request_id", "process"],
            "rename_fields": {"levelname": "level", "name": "logger"},
            "timestamp": "at",
        },
    },
    "filters": {"request_id": {"()": "config.logs.RequestIdFilter"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": read_choice("LOG_FORMAT", "LINE", ("LINE", "JSON")).lower(),
            "filters": ["request_id"],
        },
    },
    "root": {
        "handlers": ["console"],
        "level": read_choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR")),
    },
    # The supervisor waits for these lines, whatever LOG_LEVEL says.
    # axes: sign-ins stand in the history of users, and admin.people logs the refused ones.
    "loggers": {"hotswap.start": {"level": "INFO"}, "axes": {"level": "WARNING"}},
}

# Last, when all have been read.
HOTSWAP["OWN_VARIABLES"] = environment.own_variables()
HOTSWAP["SLIPS"] = environment.slips()
