"""The store on PostgreSQL: for several server processes, and for who has a server already.

Imported only when an URL asks for it; it needs psycopg, which ``projectionist[postgres]`` installs.

Reading down: ``connecting`` (the URL, what each connection is told), ``link`` (the writer's
connection, made anew in the background), ``sheet`` (what a group of writes knows and changes),
``operations`` (what each write does to it), ``writer`` (the group as one transaction),
``bulk_import``, ``whole``, ``snapshots``, ``listening`` (what other processes commit), ``store``,
``opening``.
"""
