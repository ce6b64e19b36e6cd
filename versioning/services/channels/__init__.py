"""The ways by which events leave: each is one class, and stands here."""

from collections.abc import Mapping

from versioning.services.channels.base import Channel
from versioning.services.channels.mail import Mail
from versioning.services.channels.people import People
from versioning.services.channels.webhook import Webhooks

CHANNELS: Mapping[str, Channel] = {
    channel.name: channel for channel in (Mail(), People(), Webhooks())
}
