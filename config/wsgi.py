"""The WSGI application that gunicorn serves."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

if settings.HOTSWAP["TRACES_URL"]:
    from config import tracing  # an extra

    tracing.start("hotswap-web")  # before the middleware is read

application = get_wsgi_application()
