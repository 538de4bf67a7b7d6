"""Environment variables of a function's process.

Built from nothing rather than inherited, so that a function cannot come to depend on the shell
that started the cloud. https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
"""

from __future__ import annotations

from pathlib import Path

from local.executor.settings import Settings
from local.executor.spec import FunctionSpec


def process_environment(
    spec: FunctionSpec, settings: Settings, *, runtime_api: str, log_stream: str, tmp: Path
) -> dict[str, str]:
    """Lambda's reserved variables win over the function's, and those over the defaults."""
    return {
        **_defaults(spec, settings, tmp),
        **spec.command.environment,
        **spec.environment,
        **_reserved(spec, settings, runtime_api, log_stream),
    }


def _defaults(spec: FunctionSpec, settings: Settings, tmp: Path) -> dict[str, str]:
    opt = spec.opt
    path = [str(settings.python.parent), "/usr/local/bin", "/usr/bin", "/bin"]
    defaults = {
        "PATH": ":".join([*path, *([f"{opt}/bin"] if opt else [])]),
        "LANG": "C.UTF-8",
        "TZ": ":UTC",
        "TMPDIR": str(tmp),
        # Keeps ~/.aws and other files of the person at the keyboard out of functions.
        "HOME": str(tmp),
        "PYTHONNOUSERSITE": "1",
        "AWS_ENDPOINT_URL": settings.endpoint_url,
        "AWS_ENDPOINT_URL_DYNAMODB": settings.dynamodb_url,
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
    }
    if opt:
        defaults["LD_LIBRARY_PATH"] = f"{opt}/lib"
        defaults["PYTHONPATH"] = f"{opt}/python"
        defaults["NODE_PATH"] = f"{opt}/nodejs/node_modules"
    return {name: value for name, value in defaults.items() if value}


def _reserved(
    spec: FunctionSpec, settings: Settings, runtime_api: str, log_stream: str
) -> dict[str, str]:
    return {
        "_HANDLER": spec.handler,
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "AWS_EXECUTION_ENV": spec.execution_env,
        "AWS_REGION": spec.region,
        "AWS_DEFAULT_REGION": spec.region,
        "AWS_LAMBDA_FUNCTION_NAME": spec.name,
        "AWS_LAMBDA_FUNCTION_VERSION": spec.version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory_mb),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": log_group(spec.name),
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        "AWS_ACCESS_KEY_ID": settings.access_key,
        "AWS_SECRET_ACCESS_KEY": settings.secret_key,
        "LAMBDA_TASK_ROOT": str(spec.command.directory),
    }


def log_group(function: str) -> str:
    """CloudWatch Logs group of a function."""
    return f"/aws/lambda/{function}"
