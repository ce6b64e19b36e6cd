"""Where a request may go: which addresses are the same place, which redirects to follow."""

from urllib.parse import urlsplit


def origin(url: str) -> tuple[str, str | None, int | None]:
    """Return scheme, host and port: the place that a key belongs to."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = -1
    return parts.scheme, parts.hostname, port or {"http": 80, "https": 443}.get(parts.scheme)


def problem_of_redirect(method: str, status: int, url: str, target: str) -> str:
    """Return why a redirect from ``url`` isn't followed, empty where it is."""
    scheme, _, _ = origin(target)
    if scheme not in {"http", "https"} or target == url:
        return f"redirects to nowhere ({status}): check the base URL."
    if scheme == "http" and urlsplit(url).scheme == "https":
        return "redirects from https to plain http: not followed."
    if method == "POST" and (status not in {307, 308} or origin(target) != origin(url)):
        # Prompts go where a person sent them and nowhere else.
        return f"moved to {urlsplit(target).hostname} ({status}): set this as the base URL."
    return ""
