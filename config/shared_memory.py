"""Processes that are forked from one share what it had loaded: modules take their memory once."""

import gc

from django.db import connections


def load_for_requests() -> None:
    """Load what first requests would: all addresses, and the page that people come to first."""
    from django.template.loader import get_template
    from django.urls import reverse

    reverse("admin:login")
    get_template("admin/login.html")


def keep_shared() -> None:
    """Have what is loaded by now stay one copy in the processes that are forked next.

    The collector would write into each object to count it, and so make a copy of its page.
    """
    connections.close_all()  # a connection is of one process
    gc.collect()
    gc.freeze()
