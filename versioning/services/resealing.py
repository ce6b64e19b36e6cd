"""Encrypt what is kept under the newest key, so that the one before it can be taken away."""

from collections.abc import Mapping

from django.db.models import Model

from versioning.models import Recipient, SecondFactor, Webhook
from versioning.services import locks, vault
from versioning.services.transactions import one_transaction

KEPT: Mapping[type[Model], tuple[str, ...]] = {
    Recipient: ("kept_url",),
    SecondFactor: ("kept_secret",),
    Webhook: ("secret", "former_secret"),
}
"""Every column that holds something encrypted: a test walks the models for others."""


def encrypt_anew() -> int:
    """Encrypt every secret under the first key; return how many there were.

    Row by row: broken off, it can be done again. Raises NoSecretsKey, also where one was kept
    under a key that is in HOTSWAP_SECRETS_KEY no more; then that one is as it was.
    """
    return sum(
        _row(model, pk, columns)
        for model, columns in KEPT.items()
        for pk in list(model._default_manager.order_by("pk").values_list("pk", flat=True))
    )


@one_transaction
def _row(model: type[Model], pk: int, columns: tuple[str, ...]) -> int:
    row = locks.hold(model._default_manager.filter(pk=pk)).first()
    if row is None:
        return 0
    held = {name: kept for name in columns if (kept := getattr(row, name))}
    # Not saved as a whole: no field that people see changes, so the history gets no row.
    anew = {name: vault.encrypt(vault.decrypt(kept)) for name, kept in held.items()}
    if anew:
        model._default_manager.filter(pk=pk).update(**anew)
    return len(anew)
