"""The small client of Hotswap: no dependencies, never in the application's way.

from hotswap_client import Hotswap

hotswap = Hotswap("https://hotswap.example", api_key=os.environ["HOTSWAP_API_KEY"])
model = hotswap.current("openrouter", "qwen-2.5-7b-instruct").upstream_id
...
hotswap.record(provider="openrouter", model="qwen-2.5-7b-instruct", served_id=model,
               task="summarise", latency_ms=812, quality=0.9)
"""

from hotswap_client.answers import Current, NoAnswer
from hotswap_client.client import Hotswap
from hotswap_client.outbox import Stats
from hotswap_client.sample import Sample, Signals

__all__ = ["Current", "Hotswap", "NoAnswer", "Sample", "Signals", "Stats"]
