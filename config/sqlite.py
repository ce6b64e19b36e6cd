"""A SQLite without the WAL-reset bug, or a journal that does not need one.

SQLite 3.7.0 to 3.51.2 can corrupt a WAL database that several processes write to.
pysqlite3's wheel carries a newer library; where it isn't there, the slower but safe
rollback journal is used.
"""

import sqlite3
import sys

PARTS_FOR_POSTGRES = "django.contrib.postgres"

FIRST_SAFE_WAL = (3, 51, 3)


def use_newest_sqlite() -> str:
    """Swap in pysqlite3's library if it is newer; return the journal mode that is safe."""
    version = sqlite3.sqlite_version_info
    try:
        import pysqlite3.dbapi2
    except ImportError:
        pass
    else:
        if pysqlite3.dbapi2.sqlite_version_info > version:
            version = pysqlite3.dbapi2.sqlite_version_info
            sys.modules["sqlite3"] = sys.modules["pysqlite3"]
            sys.modules["sqlite3.dbapi2"] = pysqlite3.dbapi2
    return "WAL" if version >= FIRST_SAFE_WAL else "TRUNCATE"


def spare_postgres() -> None:
    """Have no library load what is for PostgreSQL only: they do where its driver is installed.

    With the driver that is a tenth of the memory of each process, and of the time it starts in.
    """
    if PARTS_FOR_POSTGRES not in sys.modules:
        sys.modules[PARTS_FOR_POSTGRES] = None  # type: ignore[assignment]  # as if it weren't there
