"""What the sampler adds up."""

from __future__ import annotations

from tests.load.sampling import Sampler

FUNCTION = "function transcode"


def test_engine_counts_once_when_it_ends_between_two_samples() -> None:
    sampler = Sampler(None, "", 0)
    worker, ended, engine = (1, False), (1, True), (2, False)
    first = sampler._summed(
        {worker: (FUNCTION, 1.0), ended: ("engine", 0.0), engine: ("engine", 5.0)}
    )
    assert first == {FUNCTION: 1.0, "engine": 5.0}
    second = sampler._summed({worker: (FUNCTION, 2.0), ended: ("engine", 6.0)})
    assert second == {FUNCTION: 2.0, "engine": 6.0}


def test_time_stays_counted_when_a_function_is_killed() -> None:
    sampler = Sampler(None, "", 0)
    sampler._summed({(1, False): (FUNCTION, 2.0), (1, True): ("engine", 6.0)})
    last = sampler._summed({(3, False): (FUNCTION, 0.5), (3, True): ("engine", 1.0)})
    assert last == {FUNCTION: 2.5, "engine": 7.0}
