"""Applicants as a load for locust on the service at --host; the exit code is 1 when the objective is missed."""

import sys
import time
from argparse import ArgumentParser, Namespace
from itertools import count
from random import Random

from locust import FastHttpUser, LoadTestShape, events, task
from locust.env import Environment
from locust.runners import WorkerRunner

from loadtests import payloads
from loadtests.objective import Figures, Objective, missed, summary
from loadtests.payloads import Payload
from loadtests.shapes import SHAPES, users_at

numbers = count()


def options_of(environment: Environment) -> Namespace:
    """What the command line says."""
    found: Namespace | None = environment.parsed_options
    assert found is not None
    return found


@events.init_command_line_parser.add_listener  # type: ignore[untyped-decorator]
def _add_options(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("load", "What is asked of the service, and what it has to hold.")
    group.add_argument("--shape", choices=SHAPES, default="constant", env_var="LOAD_SHAPE")
    group.add_argument("--per-user", type=float, default=10.0, env_var="LOAD_PER_USER", help="requests/s of one user")
    group.add_argument("--seed", type=int, default=7, env_var="LOAD_SEED", help="of the made-up applicants")
    group.add_argument("--max-error-ratio", type=float, default=0.001, env_var="LOAD_MAX_ERROR_RATIO")
    group.add_argument("--max-p95-ms", type=float, default=100.0, env_var="LOAD_MAX_P95_MS", help="of POST /predict")


class Caller(FastHttpUser):
    """Sends one request after another, --per-user of them a second, and expects the right status of each."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        options = options_of(environment)
        self.random = Random(options.seed * 1000 + next(numbers))
        self.per_user = float(options.per_user)
        self.bad = payloads.bad()
        self.documented = payloads.documented()

    def wait_time(self) -> float:
        # As callers who know nothing of each other come: a steady beat would have all of them ask at once.
        return self.random.expovariate(self.per_user)

    @task(80)
    def ask_for_a_decision(self) -> None:
        self._send(payloads.single(self.random))

    @task(5)
    def ask_as_documented(self) -> None:
        self._send(self.random.choice(self.documented))

    @task(10)
    def ask_for_many_decisions(self) -> None:
        self._send(payloads.batch(self.random))

    @task(5)
    def ask_wrongly(self) -> None:
        self._send(self.random.choice(self.bad))

    def _send(self, payload: Payload) -> None:
        headers = {} if payload.content_type is None else {"Content-Type": payload.content_type}
        name = payload.path if payload.status == 200 else f"{payload.path} (refused)"
        with self.client.post(payload.path, payload.body, headers=headers, name=name, catch_response=True) as answer:
            if answer.status_code == payload.status:
                answer.success()
            else:
                answer.failure(f"{answer.status_code} instead of {payload.status}: {answer.error or answer.text}")


class Shape(LoadTestShape):
    """The users of --shape, out of --users, --spawn-rate and --run-time."""

    use_common_options = True

    def tick(self) -> tuple[int, float] | None:
        assert self.runner is not None
        options = options_of(self.runner.environment)
        elapsed_seconds = time.perf_counter() - self.start_time
        users = users_at(options.shape, options.num_users, options.run_time or float("inf"), elapsed_seconds)
        return None if users is None else (users, options.spawn_rate)


@events.quitting.add_listener  # type: ignore[untyped-decorator]
def _judge(environment: Environment, **_: object) -> None:
    if isinstance(environment.runner, WorkerRunner):
        return
    total, decisions = environment.stats.total, environment.stats.get("/predict", "POST")
    figures = Figures(
        total.num_requests,
        total.num_failures,
        total.total_rps,
        *(decisions.get_response_time_percentile(p) if decisions.num_requests else None for p in (0.5, 0.95, 0.99)),
    )
    options = options_of(environment)
    objective = Objective(options.max_error_ratio, options.max_p95_ms)
    sys.stdout.write(summary(figures, objective) + "\n")
    environment.process_exit_code = 1 if missed(figures, objective) else 0
