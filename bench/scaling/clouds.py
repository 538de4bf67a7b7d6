"""Deployments to simulate: AWS within its quotas, and one machine."""

from __future__ import annotations

from dataclasses import dataclass

import simpy

from bench.scaling.measured import ServiceTimes
from bench.scaling.quotas import Quotas
from bench.scaling.servers import Cores, Function, Rate
from bench.scaling.video import Cloud
from cdk.functions import FUNCTIONS, Package

INDEX_SHARDS = 4
"""`millrace.keys.SHARDS`."""
_UNLIMITED = 10**9
QUEUED = tuple(spec for spec in FUNCTIONS if spec.queue is not None)
AT_MOST = {spec.name: spec.queue.max_concurrency for spec in QUEUED if spec.queue}
MEMORY_MB = {spec.name: spec.memory_mb for spec in FUNCTIONS}


@dataclass(frozen=True, slots=True)
class Deployment:
    """What a deployment on AWS may choose, and what of AWS cannot be measured from here."""

    transcode_concurrency: int = 50
    others_concurrency: int | None = None
    """Of every other function; None: what `cdk/functions.py` says."""
    core_speed: float = 1.0
    """A Lambda vCPU beside a core of the measuring machine."""


@dataclass
class LambdaCompute:
    """Every invocation has processors of its own, in proportion to its memory."""

    env: simpy.Environment
    quotas: Quotas
    core_speed: float

    def engine(self, function: str, cpu_s: float, cores: float) -> simpy.Event:
        vcpus = MEMORY_MB[function] / self.quotas.memory_mb_per_vcpu
        # Measured with two: an engine that kept 1.8 of 2 cores busy keeps nine tenths of any few.
        used = vcpus * cores / 2 if cores > 1 else min(vcpus, 1.0)
        return self.env.timeout(cpu_s / (used * self.core_speed))

    def handler(self, function: str, wall_s: float) -> simpy.Event:
        del function
        return self.env.timeout(wall_s)


@dataclass
class MachineCompute:
    """All share one machine's cores."""

    cores: Cores

    def engine(self, function: str, cpu_s: float, cores: float) -> simpy.Event:
        del function
        return self.cores.run(cpu_s, cores)

    def handler(self, function: str, wall_s: float) -> simpy.Event:
        del function
        return self.cores.run(wall_s)


def aws(
    env: simpy.Environment, service: ServiceTimes, quotas: Quotas, deployment: Deployment
) -> Cloud:
    """A deployment on AWS, cold."""
    account = simpy.Resource(env, quotas.concurrency)
    functions = {}
    for spec in QUEUED:
        limit = deployment.others_concurrency or AT_MOST[spec.name]
        if spec.name == "transcode":
            limit = deployment.transcode_concurrency
        functions[spec.name] = Function(
            env,
            account,
            quotas,
            at_most=limit,
            init_s=service.init_image_s if spec.package is Package.IMAGE else service.init_zip_s,
            message_s=service.message_s,
        )
    return Cloud(
        env,
        service,
        LambdaCompute(env, quotas, deployment.core_speed),
        functions,
        Rate(env, INDEX_SHARDS * quotas.partition_write_units),
        Rate(env, quotas.prefix_writes),
        Rate(env, quotas.prefix_reads),
        lambda: Rate(env, quotas.partition_write_units),
    )


def machine(
    env: simpy.Environment, service: ServiceTimes, cores: int, transcode_concurrency: int
) -> Cloud:
    """`./millrace up`, warm: functions are processes, tables and buckets are files."""
    account = simpy.Resource(env, _UNLIMITED)
    functions = {
        spec.name: Function(
            env,
            account,
            Quotas(),
            at_most=transcode_concurrency if spec.name == "transcode" else AT_MOST[spec.name],
            init_s=0.0,
            message_s=service.message_s,
            pollers_grow=False,
        )
        for spec in QUEUED
    }
    compute = MachineCompute(Cores(env, cores))
    return Cloud(
        env,
        service,
        compute,
        functions,
        index=Rate(env, _UNLIMITED),
        writes=Rate(env, _UNLIMITED),
        reads=Rate(env, _UNLIMITED),
        partition=lambda: Rate(env, _UNLIMITED),
    )
