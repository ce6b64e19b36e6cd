"""Keep a database of this release, for later ones to be upgraded from: make it before a release.

``DATABASE_URL= HOTSWAP_DATA_DIR=/tmp/made python -m tests.earlier.make``, and once more with
``DATABASE_URL`` naming an empty PostgreSQL database.
"""

import gzip
import os
import sys
from datetime import timedelta
from pathlib import Path

import django

FOLDER = Path(__file__).parent


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.loader import MigrationLoader
    from django.utils import timezone

    from sample_world import prepare
    from versioning.services import backups, sample_settings, seals
    from versioning.services.samples import retention

    now = timezone.now()
    call_command("prepare")
    prepare.prepare_demo(simulator_port=9, now=now, say=print)
    # Sums, moves and their evidence stay; of the single samples a day is enough to upgrade.
    retention.drop_old_samples(now=now + sample_settings.retention() - timedelta(days=1))
    seals.chain()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")
    last = max(name for app, name in MigrationLoader(None).disk_migrations if app == "versioning")
    file = FOLDER / f"{last[:4]}-{connection.vendor}.tar"
    backups.back_up(file, now=now)
    file.write_bytes(gzip.compress(gzip.decompress(file.read_bytes()), mtime=0))
    sys.stdout.write(f"{file}: {file.stat().st_size:,} bytes\n")


if __name__ == "__main__":
    main()
