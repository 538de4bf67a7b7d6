"""The environment LocalStack's process gets: its settings, and where it may write."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from local.server import CloudConfig

# The launcher's own settings must not leak in: a stray DEBUG or AWS_ENDPOINT_URL changes a lot.
_INHERITED = ("PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "USER")


def environment(config: CloudConfig, repository: Path) -> dict[str, str]:
    """Settings of LocalStack 4.13 in host mode, and ours for the plugin inside it."""
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return (
        inherited
        | _localstack(config)
        | _folders(config.state_dir.resolve())
        | _plugin(config, repository)
        | dict(config.extra_environment)
    )


def _localstack(config: CloudConfig) -> dict[str, str]:
    return {
        "GATEWAY_LISTEN": f"{config.listen}:{config.port}",
        "LOCALSTACK_HOST": f"127.0.0.1:{config.port}",
        # Queue URLs of the form http://127.0.0.1:port/queue/region/account/name: the standard
        # ones need a host name that only resolves on the Internet.
        "SQS_ENDPOINT_STRATEGY": "path",
        "OVERRIDE_IN_DOCKER": "0",  # a virtual machine can be taken for a container
        "DISABLE_EVENTS": "1",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "CLEAR_TMP_FOLDER": "0",  # CloudWatch's metrics are in it
        "DNS_ADDRESS": "0",
        "S3_SKIP_SIGNATURE_VALIDATION": "0",
        "GATEWAY_SERVER": "millrace",
        "IN_MEMORY_CLIENT": "1",  # services call each other without HTTP
        "LAMBDA_RUNTIME_EXECUTOR": "millrace",
        "PROVIDER_OVERRIDE_DYNAMODB": "moto",
        "PROVIDER_OVERRIDE_S3": "millrace",
        "PYTHONUNBUFFERED": "1",
    }


def _folders(state: Path) -> dict[str, str]:
    """Every folder LocalStack, plux or Python would otherwise choose for itself."""
    return {
        "FILESYSTEM_ROOT": str(state / "localstack"),
        "TMPDIR": str(state / "tmp"),
        "HOME": str(state / "home"),
        "XDG_CACHE_HOME": str(state / "cache"),
        "CONFIG_DIR": str(state / "home" / ".localstack"),
        "MILLRACE_STATE_DIR": str(state),
    }


def _plugin(config: CloudConfig, repository: Path) -> dict[str, str]:
    variables = {
        "PYTHONPATH": str(repository),
        "MILLRACE_LOCAL_PYTHON": str(config.function_python),
        "MILLRACE_LOCAL_WORK_DIR": str(config.state_dir.resolve() / "functions"),
        "MILLRACE_LOCAL_LOG_DIR": str(config.log_file.parent.resolve() / "functions"),
    }
    if config.image_map is not None:
        variables["MILLRACE_LOCAL_IMAGE_MAP"] = str(config.image_map.resolve())
    return variables
