"""E-mail: tried at once."""

from rest_framework.response import Response

from versioning.api.operations import ApiView, Asked, operation
from versioning.api.serializers.mail import MailTest, MailTestSerializer
from versioning.models import ApiKey
from versioning.services import mail


class TestMailView(ApiView):
    @operation(
        id="test_mail",
        tag="news",
        summary="Send a mail that tells of nothing",
        body=MailTest,
        answer=MailTestSerializer,
        scope=ApiKey.Scope.SETUP,
        permission="versioning.setup",
        asks_others=True,
    )
    def post(self, asked: Asked) -> Response:
        """At once and once. A failure is an answer, too."""
        try:
            sentence, ok = mail.send_test(to=asked.body["to"]), True
        except mail.NotMailed as error:
            sentence, ok = str(error), False
        return Response(MailTestSerializer({"ok": ok, "sentence": sentence}).data)
