"""How far one clock is from another, as an answer over a network can tell."""

from datetime import datetime, timedelta


def ahead_at_least(
    *, sent: datetime, received: datetime, said: datetime, rounded: timedelta = timedelta(0)
) -> timedelta:
    """Return how far our clock is ahead of one that said a moment between two of ours.

    Below zero it is behind. Nobody knows when on the way it was said: of all that is possible this
    is the least, nothing where both may be right. ``rounded``: it may be later by up to so much.
    """
    most, least = received - said, sent - said - rounded
    if least <= timedelta(0) <= most:
        return timedelta(0)
    return least if least > timedelta(0) else most
