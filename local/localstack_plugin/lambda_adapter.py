"""LocalStack's Lambda provider on top of `local.executor`.

LocalStack offers a `RuntimeExecutor` plugin for each execution environment. Functions are run one
level higher, where a version is invoked: there the client context is still known, and environments
need not be handed out by LocalStack, whose table of them is not safe to read while it grows.
"""

# LocalStack lives in another virtual environment: its types are unknown where types are checked.
# mypy: disable-error-code="import-not-found, misc, no-any-return"

from __future__ import annotations

import base64
import dataclasses
import functools
import json
from typing import Any

from localstack import config
from localstack.aws.api.lambda_ import (
    PackageType,
    RequestTooLargeException,
    ResourceConflictException,
)
from localstack.aws.connect import connect_to
from localstack.runtime.shutdown import SHUTDOWN_HANDLERS
from localstack.services.lambda_.event_source_mapping.esm_worker_factory import EsmWorkerFactory
from localstack.services.lambda_.invocation.lambda_models import (
    FunctionVersion,
    Invocation,
    InvocationResult,
)
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor
from localstack.services.lambda_.invocation.version_manager import LambdaVersionManager
from localstack.services.sqs.models import FifoQueue
from localstack.utils.xray.trace_header import TraceHeader

from local.dynamodb.door import DOOR
from local.executor import images
from local.executor.fleet import Fleet
from local.executor.images import ImageOverrides, image_command
from local.executor.pool import PayloadTooLargeError, PoolClosedError
from local.executor.settings import Settings
from local.executor.spec import Command, FunctionSpec
from local.localstack_plugin import direct
from local.localstack_plugin.fifo import requeue_visible
from local.localstack_plugin.queue_consumer import parallel
from local.localstack_plugin.telemetry import make_cheap
from local.runtime_api.messages import Event


class UnsupportedRuntimeError(Exception):
    """The function's runtime is neither Python nor a bootstrap program."""


class MillraceExecutorPlugin(RuntimeExecutorPlugin):
    """Selected by LAMBDA_RUNTIME_EXECUTOR=millrace."""

    name = "millrace"

    def load(self, *_args: Any, **_kwargs: Any) -> type[RuntimeExecutor]:
        """LocalStack asks while its Lambda provider starts, before any function or mapping."""
        _install()
        return MillraceExecutor


class MillraceExecutor(RuntimeExecutor):
    """Prepares and removes versions; an environment of LocalStack's own is never needed."""

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        fleet().add(_key(function_version), function_spec(function_version))

    @classmethod
    def cleanup_version(cls, function_version: FunctionVersion) -> None:
        fleet().remove(_key(function_version))

    # Provisioned concurrency starts environments and then has invocations take another way.
    def start(self, env_vars: dict[str, str]) -> None: ...

    def stop(self) -> None: ...

    def get_address(self) -> str:
        return "127.0.0.1"

    def get_endpoint_from_executor(self) -> str:
        return "127.0.0.1"

    def get_runtime_endpoint(self) -> str:
        return fleet().settings.endpoint_url

    def get_logs(self) -> str:
        return ""

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        raise NotImplementedError("invocations go through the version manager")


@functools.cache
def fleet() -> Fleet:
    """The functions of this LocalStack."""
    settings = Settings.from_environment()
    if not settings.endpoint_url:
        url = f"http://127.0.0.1:{config.GATEWAY_LISTEN[0].port}"
        items_url = DOOR.open(url)
        settings = dataclasses.replace(settings, endpoint_url=url, dynamodb_url=items_url)
    return Fleet(settings, lambda service, region: getattr(connect_to(region_name=region), service))


@functools.cache
def _install() -> None:
    SHUTDOWN_HANDLERS.register(fleet().shutdown)
    make_cheap()
    direct.install()
    LambdaVersionManager.invoke = _invoke
    FifoQueue.requeue_inflight_messages = requeue_visible
    get_esm_worker = EsmWorkerFactory.get_esm_worker
    concurrency = fleet().settings.mapping_concurrency
    EsmWorkerFactory.get_esm_worker = lambda self: parallel(get_esm_worker(self), concurrency)


def _invoke(manager: LambdaVersionManager, *, invocation: Invocation) -> InvocationResult:
    version = manager.function_version
    pool = fleet().get(_key(version))
    if pool is None or manager.shutdown_event.is_set():
        raise ResourceConflictException(f"{version.qualified_arn} is being replaced", Type="User")
    event = _event(invocation, version)
    try:
        with manager.counting_service.get_invocation_lease(manager.function, version):
            result = pool.invoke(event)
    except PayloadTooLargeError as error:
        raise RequestTooLargeException(str(error), Type="User") from error
    except PoolClosedError as error:
        raise ResourceConflictException(f"{error} is being replaced", Type="User") from error
    return InvocationResult(
        request_id=invocation.request_id,
        payload=result.payload,
        is_error=result.is_error,
        logs=result.log_tail,
        executed_version=version.id.qualifier,
    )


def _event(invocation: Invocation, version: FunctionVersion) -> Event:
    trace = invocation.trace_context.get("aws_trace_header") or TraceHeader().ensure_root_exists()
    trace.ensure_sampled_exists()
    trace.ensure_parent_exists()
    return Event(
        request_id=invocation.request_id,
        payload=invocation.payload,
        function_arn=invocation.invoked_arn,
        timeout_s=float(version.config.timeout),
        trace_id=trace.to_header_str(),
        client_context=_client_context(invocation.client_context),
    )


def _client_context(header: str | None) -> str:
    """Callers send base64; runtimes get JSON (here in ASCII, as it travels in a header)."""
    try:
        return json.dumps(json.loads(base64.b64decode(header or "", validate=True)))
    except ValueError:
        return ""


def function_spec(version: FunctionVersion) -> FunctionSpec:
    """What the executor has to know. Unpacks code and layers that are not there yet."""
    function = version.config
    image = function.package_type == PackageType.Image
    stand_in = None if image else images.stand_in(version.id.function_name, fleet().settings)
    command = _image_command(version) if image else stand_in or _zip_command(version)
    used = () if stand_in else function.layers or ()
    layers = [(layer.code.code_sha256, _download(layer.code)) for layer in used]
    return FunctionSpec(
        name=version.id.function_name,
        command=command,
        version=version.id.qualifier,
        region=version.id.region,
        handler=command.argv[-1] if image or stand_in else function.handler,
        # An image has no runtime; without a new enough one SIGTERM handlers do not run.
        execution_env=f"AWS_Lambda_{'python3.12' if image else function.runtime}",
        opt=fleet().code.unpacked(layers) if layers else None,
        memory_mb=function.memory_size,
        timeout_s=float(function.timeout),
        environment=dict(function.environment or {}),
    )


def _image_command(version: FunctionVersion) -> Command:
    overrides = ImageOverrides()
    if given := version.config.image_config:
        overrides = ImageOverrides(
            entrypoint=tuple(given.entrypoint or ()),
            command=tuple(given.command or ()),
            working_directory=given.working_directory or "",
        )
    return image_command(version.config.image.image_uri, overrides, fleet().settings)


def _zip_command(version: FunctionVersion) -> Command:
    function = version.config
    code = function.code
    if code.is_hot_reloading():
        directory = code.get_unzipped_code_location()
    else:
        directory = fleet().code.unpacked([(code.code_sha256, _download(code))])
    if function.runtime.startswith("python"):
        python = str(fleet().settings.python)
        return Command((python, "-m", "awslambdaric", function.handler), directory)
    if function.runtime.startswith("provided"):
        return Command((str(directory / "bootstrap"),), directory)
    raise UnsupportedRuntimeError(f"cannot run {function.runtime}: only python and provided")


def _download(code: Any) -> Any:
    # The public way, a presigned URL, would need the gateway to answer while it starts.
    return code._download_archive_to_file


def _key(version: FunctionVersion) -> str:
    return f"{version.qualified_arn}/{version.config.internal_revision}"
