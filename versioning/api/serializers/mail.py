"""E-mail: tried."""

from typing import Any

from rest_framework import serializers


class MailTest(serializers.Serializer[Any]):
    """To whom a mail is sent that tells of nothing."""

    to = serializers.EmailField(max_length=254)


class MailTestSerializer(serializers.Serializer[Any]):
    """What the mail server made of it."""

    ok = serializers.BooleanField()
    sentence = serializers.CharField(help_text="Why it did not go, if so, and what to look at.")
