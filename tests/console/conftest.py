"""Pages are asked for as the API is: the same fixtures as the server's tests."""

from tests.server.conftest import app, client, core, form_token, local, signed_in, wall

__all__ = ["app", "client", "core", "form_token", "local", "signed_in", "wall"]
