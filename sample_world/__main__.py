"""Make the sample world ready: ``python -m sample_world PORT``, the simulator's port."""

import os
import sys

import django
from django.core.exceptions import ImproperlyConfigured


def main() -> None:
    """Run the command that makes it ready; a setting that can't be used is one sentence."""
    # Whatever the terminal has: with others its mails would go to a server that isn't there.
    os.environ["DJANGO_SETTINGS_MODULE"] = "sample_world.settings"
    try:
        django.setup()
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    from sample_world.prepare import Command

    Command().run_from_argv(["python -m", "sample_world", *sys.argv[1:]])


if __name__ == "__main__":
    main()
