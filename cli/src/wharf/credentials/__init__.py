"""``docker-credential-wharf``: lets container clients sign in with the session, always fresh.

`protocol` speaks with the client (docker-credential-helpers), `helper` answers.
"""
