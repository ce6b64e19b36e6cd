"""The world that all actors share, how a thing is done in it, and what must always hold."""

import datetime as dt
import logging
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from typing import ClassVar

import time_machine
from django.db import connection, transaction
from django.test import Client
from hypothesis.stateful import RuleBasedStateMachine, invariant

from sample_world.simulator import Simulator
from sample_world.simulator.world import FIRST_DAY, World
from tests import outbox
from tests.factories import NOW, ApiKeyFactory, ProviderFactory, UserFactory
from tests.machine.laws import Laws
from tests.machine.watcher import Crash, Watcher
from versioning.domain.transitions import UNDER_WAY, WAITING, State
from versioning.models import Canary
from versioning.services import seals, serving, tracking
from versioning.services.actors import Actor
from versioning.services.checks import detection
from versioning.services.errors import ServiceError

PROVIDER_KEY = "sk-machine-0123456789abcdef"
PROMPT = "what my doctor told me"
LINES = ("zed/zeta-4-mini", "ori/omega-2-large")

ENDS = frozenset(State) - WAITING - UNDER_WAY


class Shared(RuleBasedStateMachine):
    """All actors at once. Each run is in a transaction that is never committed."""

    simulator: ClassVar[Simulator]
    seen: ClassVar[Counter[str]]
    """What happened in all runs together, and how many steps there were."""

    def __init__(self) -> None:
        super().__init__()
        self.world = ExitStack()
        around = transaction.atomic()
        around._from_testcase = True  # it is the machine's, around all that the actors do
        self.world.enter_context(around)
        self.now = NOW
        self.released: list[str] = []
        self.checked = False
        self.freezes: list[tuple[dt.datetime, dt.datetime]] = []
        self.keys: dict[tuple[int, str], bool] = {}
        self.begin_provider()
        self.people = {name: Actor.of_user(UserFactory(username=name)) for name in ("ada", "grace")}
        key = ApiKeyFactory(name="shop")
        self.client = Client(headers={"authorization": f"Bearer {key.secret}"})
        self.watcher = Watcher(PROVIDER_KEY, PROMPT, key.secret)
        self.world.enter_context(connection.execute_wrapper(self.watcher))
        logging.getLogger().addHandler(self.watcher)
        self.laws = Laws()
        self.held = self.laws.what_holds(freezes=self.freezes, now=self.now)

    def begin_provider(self) -> None:
        self.simulator.world = World(dict.fromkeys(self.simulator.world.kinds(), ()))
        self.simulator.heal("openrouter")
        for n in range(10):
            self.simulator.catalogue.add("openrouter", f"other/thing-{n}")
        first = [self.release(line, aged=True) for line in LINES]
        self.provider = ProviderFactory(
            slug="router",
            kind="openrouter",
            base_url=self.simulator.base_url("openrouter"),
            api_key_env="MACHINE_KEY",
        )
        detection.run_check(provider_id=self.provider.pk, trigger="command", now=self.now)
        self.models = [
            tracking.start_tracking(
                provider_id=self.provider.pk,
                name=f"model-{n}",
                upstream_id=upstream_id,
                actor=Actor.command(),
                now=self.now,
            ).pk
            for n, upstream_id in enumerate(first)
        ]

    def teardown(self) -> None:
        self.watcher.dies_before = None
        logging.getLogger().removeHandler(self.watcher)
        transaction.set_rollback(True)
        self.world.close()

    # How things are done

    def attempt(self, act: Callable[[], object]) -> bool:
        """Do something that may be refused, or that a crash cuts off; say whether it was whole.

        What was committed before a crash stays: only the service's own transaction is undone.
        """
        try:
            act()
        except ServiceError:
            return False
        except Crash:
            # A statement of its own that never ran leaves this test's transaction as it was.
            transaction.set_rollback(False)
            self.seen["crash"] += 1
            return False
        finally:
            self.watcher.dies_before = None
        return True

    def ask(self, path: str, body: object) -> None:
        """Have the application send a request, which may die on the way."""

        def post() -> None:
            with time_machine.travel(self.now, tick=False):
                answer = self.client.post(path, body, content_type="application/json")
            assert answer.status_code < 500, answer.content
            self.watcher.look(answer.content.decode(), where="returned")

        self.attempt(post)

    def release(self, line: str, *, aged: bool) -> str:
        """Have the provider list the next snapshot of a line."""
        day = FIRST_DAY + dt.timedelta(days=len(self.released))
        age = 10 if aged else 0
        upstream_id = f"{line}-{day:%Y%m%d}"
        self.released.append(upstream_id)
        self.simulator.catalogue.add(
            "openrouter",
            upstream_id,
            context=8000,
            released=(self.now.date() - FIRST_DAY).days - age,
        )
        return upstream_id

    def any_record(self, number: int, which: int) -> int:
        """Return one of a model's records: those that are open come first, then the newest."""
        mine = [
            record
            for record in self.laws.records.values()
            if record.tracked_model_id == self.models[number]
        ]
        mine.sort(key=lambda record: (State(record.state) in ENDS, -record.pk))
        return mine[which % len(mine)].pk

    def address(self, number: int, what: str) -> str:
        return f"/api/model-versions/{self.provider.slug}/model-{number}/{what}"

    # What always holds

    @invariant()
    def the_laws_hold(self) -> None:
        self.laws.look(held=self.held, checked=self.checked)
        self.seen.update(["step", *self.laws.news])
        assert not self.watcher.leaks, f"law 7: {self.watcher.leaks}"
        self.checked = False
        self.held = self.laws.what_holds(freezes=self.freezes, now=self.now)

    @invariant()
    def each_step_is_told_once(self) -> None:
        outbox.each_step_is_told_once()

    @invariant()
    def the_history_is_as_it_was_written(self) -> None:
        assert not seals.verify().fault

    @invariant()
    def a_key_that_has_the_new_version_keeps_it(self) -> None:
        seen: dict[tuple[int, str], bool] = {}
        for trial in Canary.objects.filter(record__state="canary").select_related(
            "record__tracked_model", "record__to_version"
        ):
            for key in ("anna", "boris", "carla", "dora"):
                answer = serving.current(
                    provider=self.provider.slug,
                    name=trial.record.tracked_model.name,
                    now=self.now,
                    key=key,
                )
                has_it = answer.version.upstream_id == trial.record.to_version.upstream_id
                assert has_it or not self.keys.get((trial.pk, key), False)
                seen[trial.pk, key] = has_it
        self.keys = seen
