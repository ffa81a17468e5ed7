"""``wharfd doctor``: looks at the server's side and tells what is wrong, and what to do.

Reads and changes nothing. Each module holds the checks of one subject; `examination` lists them.
"""
