"""The one way out: HTTP with limits of time and size, and no key where it doesn't belong."""

from providers.http.client import Answer, Client, Limits

__all__ = ["Answer", "Client", "Limits"]
