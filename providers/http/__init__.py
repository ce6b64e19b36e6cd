"""The one way out: HTTP with limits of time and size, and no key where it doesn't belong."""

from providers.http.client import Client, Limits

__all__ = ["Client", "Limits"]
