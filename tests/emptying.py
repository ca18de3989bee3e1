"""The database after a test that no transaction took back: as the migrations left it.

Django's own flush truncates every table and makes permissions and roles anew, which takes longer than most
tests. Triggers rest meanwhile: the audit log refuses to lose its rows. (That needs a superuser.)
"""

from django.db import connection, transaction

Rows = dict[str, bytes]


def rows_of_tables() -> Rows:
    """Of every table its rows, as COPY writes them."""
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    with connection.cursor() as cursor:
        return {name: _copied(cursor, name) for name in names}


def restore(rows: Rows) -> None:
    """Let every table have these rows and no others."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(";".join(f"DELETE FROM {connection.ops.quote_name(name)}" for name in rows))
        for name, text in rows.items():
            if text:
                with cursor.copy(f"COPY {connection.ops.quote_name(name)} FROM STDIN") as copy:
                    copy.write(text)


def _copied(cursor, name: str) -> bytes:
    with cursor.copy(f"COPY {connection.ops.quote_name(name)} TO STDOUT") as copy:
        return b"".join(bytes(part) for part in copy)
