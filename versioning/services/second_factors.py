"""The second factor of people who sign in with a password: switched on, asked for, reset.

A code is six digits that an app makes anew each half minute from a secret and the time (TOTP,
RFC 6238). The secret must be read to look at a code, so it is kept encrypted (``vault``); recovery
codes are only compared, so their hashes are kept.
"""

import base64
import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User

from versioning.domain.events import EventKind
from versioning.models import RecoveryCode, SecondFactor
from versioning.services import events, locks, vault
from versioning.services.actors import Actor
from versioning.services.errors import FieldError, Invalid, NotAllowed, ServiceError, TooMany
from versioning.services.transactions import one_transaction

if TYPE_CHECKING:  # most processes look at no code: they do without the library's memory
    from cryptography.hazmat.primitives.twofactor.totp import TOTP

STEP_S, DIGITS = 30, 6
LATE = 1
"""So many codes before and after the one of this moment count, too: clocks differ, people type."""
CODES = 10
REQUIRED = "required"

PROVEN = "second_factor"
"""In a session: the second factor (its id) that was asked for, and given, in this one."""
BY_SSO = "signed_in_by_sso"
"""In a session: whoever it is was sent by the identity provider."""

logger = logging.getLogger(__name__)


class WrongCode(ServiceError):
    """The code is not one that counts now."""

    code = "wrong-code"


@dataclass(frozen=True, slots=True)
class NewCodes:
    """A second factor and its recovery codes, which can't be read again later."""

    factor: SecondFactor
    codes: tuple[str, ...] = field(repr=False)


def of(user: AbstractBaseUser | AnonymousUser) -> SecondFactor | None:
    """Return the person's second factor; None where it is off."""
    found: SecondFactor | None = getattr(user, "second_factor", None)
    return found


def must_have_one(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Say whether a person may sign in with a second factor only.

    Where it is required that is everybody who may do more than look.
    """
    if settings.HOTSWAP["SECOND_FACTOR"] != REQUIRED or not isinstance(user, User):
        return False
    return any(
        not name.partition(".")[2].startswith("view_") for name in user.get_all_permissions()
    )


def is_asked_after(session: Mapping[str, Any]) -> bool:
    """Say whether Hotswap asks for its own second factor after this kind of sign-in.

    Whoever comes from the identity provider was asked there, unless the settings say otherwise.
    """
    from_there = session.get(BY_SSO, False) or not settings.HOTSWAP["LOCAL_PASSWORDS"]
    return bool(settings.HOTSWAP["SECOND_FACTOR_AFTER_SSO"] or not from_there)


def is_missing(user: AbstractBaseUser | AnonymousUser, session: Mapping[str, Any]) -> bool:
    """Say whether somebody has signed in by half: they have yet to give a code, or to get an app.

    Looked at in each request, so what was signed in before it was required is asked, too.
    """
    if not user.is_authenticated or not is_asked_after(session):
        return False
    factor = of(user)
    return must_have_one(user) if factor is None else session.get(PROVEN) != factor.pk


def new_secret() -> str:
    """Return a new secret of 160 bits, as apps take it: in base 32."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def uri_of(secret: str, *, user: AbstractBaseUser) -> str:
    """Return the address that an app reads from a QR code."""
    return _totp(secret).get_provisioning_uri(user.get_username(), "Hotswap")


def switch_on(*, user: AbstractBaseUser, secret: str, code: str, now: datetime) -> NewCodes:
    """Ask the person for codes of this secret from now on; the first one shows that it arrived.

    Raises WrongCode, Invalid where they have one already, and NoSecretsKey.
    """
    step = _step_of(code, secret=secret, now=now)
    if step is None:
        raise WrongCode(
            "This is not the code that your app should show now. Is the phone's clock right?"
        )
    return _switch_on(user=user, kept_secret=vault.encrypt(secret), step=step, now=now)


@one_transaction
def _switch_on(*, user: AbstractBaseUser, kept_secret: str, step: int, now: datetime) -> NewCodes:
    actor = Actor.of_user(user)
    factor = SecondFactor(user_id=user.pk, kept_secret=kept_secret, last_step=step, made_at=now)
    if SecondFactor.objects.filter(user=user.pk).exists():
        sentence = "Your second factor is on already: switch it off first."
        raise Invalid(sentence, [FieldError("/code", "on-already", sentence)])
    actor.sign(factor)
    factor.save(force_insert=True)
    _tell("on", name=actor.name, actor=actor, now=now)
    return NewCodes(factor, _make_codes(factor))


def check(*, user_id: int, code: str, now: datetime) -> SecondFactor:
    """Take a code of the app, or a recovery code: each counts once.

    Of several that bring the same code at the same moment one succeeds. Raises WrongCode, TooMany
    after too many wrong ones, NotFound where it is off, and NoSecretsKey.
    """
    looked = _look(user_id=user_id, code=code, now=now)
    if isinstance(looked, ServiceError):
        raise looked
    return looked


@one_transaction
def _look(*, user_id: int, code: str, now: datetime) -> SecondFactor | ServiceError:
    """Look at a code; what is wrong with it is returned, for a wrong one is counted."""
    factor = _held(user_id)
    if factor.blocked_until is not None and now < factor.blocked_until:
        return _blocked(factor, now=now)
    step = None
    if not _use_recovery_code(factor, code, now=now):
        step = _step_of(code, secret=vault.decrypt(factor.kept_secret), now=now)
        if step is None:
            return _count_wrong(factor, now=now)
        if step <= factor.last_step:
            return WrongCode("This code was used already. Wait for the next one.")
    # No row in the history: it keeps who switched it on and off, and not each sign-in.
    SecondFactor.objects.filter(pk=factor.pk).update(
        last_step=factor.last_step if step is None else step, wrong=0, blocked_until=None
    )
    return factor


@one_transaction
def renew_codes(*, user: AbstractBaseUser, now: datetime) -> NewCodes:
    """Give a person new recovery codes in place of the former ones. Raises NotFound."""
    factor, actor = _held(user.pk), Actor.of_user(user)
    factor.recovery_codes.all().delete()
    _tell("codes", name=actor.name, actor=actor, now=now)
    return NewCodes(factor, _make_codes(factor))


@one_transaction
def switch_off(*, user: AbstractBaseUser, now: datetime) -> None:
    """Ask a person for no code any more. Raises NotFound, and NotAllowed where they need one."""
    factor, actor = _held(user.pk), Actor.of_user(user)
    if must_have_one(user):
        raise NotAllowed("Whoever may do more than look needs a second factor here.")
    _tell("off", name=actor.name, actor=actor, now=now)
    actor.sign(factor)
    factor.delete()


@one_transaction
def reset(*, user: AbstractBaseUser, reason: str, actor: Actor, now: datetime) -> None:
    """Take a person's second factor away, who has lost it; they are told.

    Raises NotFound where it is off, and NotAllowed for one's own: that takes a code.
    """
    if actor.user_id == user.pk:
        raise NotAllowed("Your own is switched off with a code, on its page.")
    factor = _held(user.pk)
    factor.off_reason = reason[:500]  # so the history keeps it, whose last row this is
    _tell("reset", name=user.get_username(), actor=actor, now=now, reason=reason[:500])
    actor.sign(factor)
    factor.delete()


def codes_left(factor: SecondFactor) -> int:
    """Return how many recovery codes a person has not used."""
    return RecoveryCode.objects.unused().filter(factor=factor).count()


def _held(user_id: int) -> SecondFactor:
    rows = SecondFactor.objects.filter(user=user_id)
    return locks.hold_one(rows, missing="There is no second factor: it is switched off.")


def _count_wrong(factor: SecondFactor, *, now: datetime) -> ServiceError:
    """Count a wrong code, and look at none for a while after as many as passwords have tries.

    They are counted for the person, wherever they come from: who tries codes has the password.
    """
    wrong = factor.wrong + 1
    is_last = wrong % settings.AXES_FAILURE_LIMIT == 0
    wait: timedelta = settings.AXES_COOLOFF_TIME
    factor.blocked_until = now + wait if is_last else None
    SecondFactor.objects.filter(pk=factor.pk).update(
        wrong=wrong, blocked_until=factor.blocked_until
    )
    if not is_last:
        return WrongCode("This code is not the one of this moment, and no recovery code of yours.")
    name = factor.user.get_username()
    logger.warning("Too many wrong codes as %.150r: none is looked at for a while.", name)
    _tell("blocked", name=name, actor=Actor.scheduler(), now=now)
    return _blocked(factor, now=now)


def _blocked(factor: SecondFactor, *, now: datetime) -> TooMany:
    until = factor.blocked_until or now
    left = max(1, round((until - now).total_seconds()))
    minutes = -(-left // 60)
    return TooMany(
        f"Too many wrong codes: none is looked at for {minutes} "
        f"minute{'s' if minutes > 1 else ''}. Was it not you? Then somebody has your password.",
        retry_after_s=left,
    )


def _use_recovery_code(factor: SecondFactor, code: str, *, now: datetime) -> bool:
    unused = RecoveryCode.objects.unused().filter(factor=factor, hashed=RecoveryCode.hash_of(code))
    return bool(unused.update(used_at=now))


def _make_codes(factor: SecondFactor) -> tuple[str, ...]:
    codes = tuple(RecoveryCode.make() for _ in range(CODES))
    RecoveryCode.objects.bulk_create(
        RecoveryCode(factor=factor, hashed=RecoveryCode.hash_of(each)) for each in codes
    )
    return codes


def _step_of(code: str, *, secret: str, now: datetime) -> int | None:
    """Return the number of the half minute whose code it is; None where that isn't about now."""
    from cryptography.hazmat.primitives.twofactor import InvalidToken

    digits = "".join(code.split())
    if not (len(digits) == DIGITS and digits.isascii() and digits.isdecimal()):
        return None
    this, found = int(now.timestamp()) // STEP_S, None
    for step in range(this - LATE, this + LATE + 1):
        try:
            _totp(secret).verify(digits.encode(), step * STEP_S)
        except InvalidToken:
            continue
        found = step
    return found


def _totp(secret: str) -> "TOTP":
    from cryptography.hazmat.primitives.hashes import SHA1
    from cryptography.hazmat.primitives.twofactor.totp import TOTP

    # SHA-1 is what every app speaks; as a keyed hash (HMAC) it is sound.
    return TOTP(base64.b32decode(secret), DIGITS, SHA1(), STEP_S)  # noqa: S303 # nosec B303


SENTENCES: Mapping[str, str] = {
    "on": "{name} switched their second factor on.",
    "off": "{name} switched their second factor off.",
    "codes": "{name} made new recovery codes.",
    "reset": "{actor} reset the second factor of {name}: {reason}",
    "blocked": "Somebody with the password of {name} gave too many wrong codes.",
}


def _tell(change: str, *, name: str, actor: Actor, now: datetime, reason: str = "") -> None:
    said = SENTENCES[change].format(name=name, actor=actor.name, reason=reason)
    events.write(
        EventKind.SECOND_FACTOR,
        sentence=said,
        actor=actor,
        now=now,
        details={"person": name, "change": change, "reason": reason},
    )
