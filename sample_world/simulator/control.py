"""The simulator's own door, ``/_sim``: read and set the day, the faults and the world."""

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from sample_world.simulator.speech import Request, Response

if TYPE_CHECKING:
    from sample_world.simulator.server import Simulator


def control(simulator: "Simulator", request: Request) -> Response:
    """Answer one request to the door; 400 with a sentence for what can't be done."""
    doors: Mapping[str, Callable[[Simulator, Request], Any]] = {
        "/day": _day,
        "/fail": _fail,
        "/world": _world,
    }
    door = doors.get(request.path)
    if door is None:
        return Response({"error": "Known: /_sim/day, /_sim/fail, /_sim/world."}, 404)
    if request.method == "POST" and not isinstance(request.json, dict):
        return Response({"error": "Send a JSON object."}, 400)
    try:
        return Response(door(simulator, request))
    except (KeyError, TypeError, ValueError, LookupError, InvalidOperation) as error:
        return Response({"error": f"Can't do that: {error}"}, 400)


def _day(simulator: "Simulator", request: Request) -> Any:
    """``{"day": 31}`` sets the day, ``{"add": 1}`` moves it on."""
    if request.method == "POST":
        day = request.json["day"] if "day" in request.json else simulator.day + request.json["add"]
        simulator.set_day(int(day))
    return {"day": simulator.day, "date": simulator.world.date_of(simulator.day).isoformat()}


def _fail(simulator: "Simulator", request: Request) -> Any:
    """``{"kind": "openai", "mode": "http_500"}`` breaks a provider, no mode heals it."""
    if request.method == "POST":
        order = dict(request.json)
        kind, mode = order.pop("kind"), order.pop("mode", None)
        simulator.base_url(kind)  # KeyError for a kind that isn't one
        if mode:
            simulator.fail(kind, mode, **order)
        else:
            simulator.heal(kind)
    return simulator.faults.named()


def _world(simulator: "Simulator", request: Request) -> Any:
    """``{"kind": K, "id": I, "do": "add" | "change" | "remove", ...values}`` edits a model."""
    if request.method == "POST":
        order = dict(request.json)
        kind, model_id, verb = order.pop("kind"), order.pop("id"), order.pop("do")
        values = {name: _value(name, value) for name, value in order.items()}
        if verb == "add":
            simulator.world.add(kind, model_id, **values)
        elif verb == "change":
            simulator.world.change(kind, model_id, **values)
        elif verb == "remove":
            simulator.world.remove(kind, model_id)
        else:
            raise ValueError("do must be add, change or remove")
    return {
        kind: {
            model.id: {
                "quality": dict(model.quality),
                "retires": model.retires,
                "replacement": model.replacement,
            }
            for model in simulator.models(kind)
        }
        for kind in simulator.world.kinds()
    }


def _value(name: str, value: Any) -> Any:
    if name.endswith("_price") and value is not None:
        return Decimal(str(value))
    return tuple(value) if isinstance(value, list) else value
