"""`./millrace deploy` and `./millrace destroy`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click
from botocore.exceptions import BotoCoreError, ClientError

from cdk.functions import FIRST_TOKEN, PREFIX
from cdk.settings import ContextError
from cli import deploy_removal, deploy_smoke
from cli.console import console, escape, fail
from cli.deploy import Outputs
from cli.deploy_aws import first_token, stack_outputs
from cli.deploy_cdk import DeployError, Difference, diff_stack, synthesize
from cli.deploy_hash import stack_hash
from cli.deploy_smoke import SmokeError
from cli.deploy_sweep import DataInTheWayError
from cli.deploy_targets import AwsTarget, LocalTarget, Target, find
from cli.state import REPOSITORY, State, replace_text

_DIFFERENT = 3
"""Exit code of `--plan` when something would change."""
_Command = Callable[..., None]


def _common(command: _Command) -> _Command:
    for option in (
        click.option("--yes", is_flag=True, help="Do not ask."),
        click.option(
            "--port",
            type=click.IntRange(1, 65535),
            help="Of a LocalStack that ./millrace up did not start, e.g. in Docker.",
        ),
        click.option(
            "-c",
            "--setting",
            "given",
            multiple=True,
            metavar="NAME=VALUE",
            help="A setting of docs/how-to/deploy-aws.md; as often as you like.",
        ),
        click.option(
            "--target",
            type=click.Choice(["aws", "localstack"]),
            required=True,
            help="AWS (credentials as usual), or what ./millrace up started.",
        ),
    ):
        command = option(command)
    return command


@click.command()
@_common
@click.option("--plan", "only_plan", is_flag=True, help="Show what would change; exit code 3 then.")
@click.option(
    "--adopt",
    is_flag=True,
    help="Take over the buckets and the table that an earlier destroy left in the account.",
)
@click.option("--json", "as_json", is_flag=True, help="Outputs on standard output, as JSON.")
@click.pass_obj
def deploy(
    state: State,
    /,
    target: str,
    given: tuple[str, ...],
    port: int | None,
    yes: bool,
    only_plan: bool,
    adopt: bool,
    as_json: bool,
) -> None:
    """Show what would change, ask, deploy, and look whether it works."""
    place = _find(target, state, given, port)
    with _failing_in_words():
        assembly, difference = _plan(place)
        _show(difference)
        if only_plan:
            sys.exit(_DIFFERENT if difference.any else 0)
        _ask(yes, f"Deploy to {place.where}?")
        is_first = not stack_outputs(place.session)
        outputs = _apply(place, assembly, adopt=adopt)
        replace_text(place.log.with_name(f"outputs-{target}.json"), json.dumps(asdict(outputs)))
        _announce(outputs, as_json=as_json)
        if is_first and isinstance(place, AwsTarget):
            _tell_token(place, outputs)
        elif is_first and isinstance(place, LocalTarget) and place.state:
            console.print("  token    ./millrace token shows it")
        console.print("\n  smoke test")
        deploy_smoke.check(
            place.session, outputs, lambda name: console.print(f"  [good]✓[/] {name}")
        )


@click.command()
@_common
@click.option("--data", is_flag=True, help="Delete every video, too: both buckets and the table.")
@click.pass_obj
def destroy(
    state: State, /, target: str, given: tuple[str, ...], port: int | None, yes: bool, data: bool
) -> None:
    """Remove the deployment; its videos stay unless --data is given."""
    place = _find(target, state, given, port)
    with _failing_in_words():
        found = deploy_removal.look(place.session, place.suffix)
        _list(found, place, data=data)
        if not found.anything:
            return
        if found.resources and not data and not place.keeps_data:
            fail("LocalStack deletes the buckets and the table with their stack: give --data")
        _ask(yes, f"Remove it from {place.where}?")
        if data and not yes and click.prompt(f"Type {PREFIX} to delete every video") != PREFIX:
            fail("nothing was removed")
        with console.status("removing; CloudFront alone takes minutes"):
            if found.resources:
                deploy_removal.remove_stack(place.session)
            if data:
                left = deploy_removal.look(place.session, place.suffix)
                deploy_removal.remove_data(place.session, left)
            place.forget()
    what = "everything is gone" if data else "the videos stay, in their buckets and table"
    console.print(f"[good]✓[/] {what}")


@contextmanager
def _failing_in_words() -> Iterator[None]:
    """Errors that a person can act on end the command, without a traceback."""
    try:
        yield
    except SmokeError as error:
        fail(f"deployed, but {escape(str(error))}")
    except (DeployError, DataInTheWayError, BotoCoreError, ClientError) as error:
        fail(escape(str(error)))


def _find(target: str, state: State, given: Sequence[str], port: int | None) -> Target:
    try:
        return find(target, state, _pairs(given), port)
    except (ContextError, DeployError) as error:
        fail(escape(str(error)))


def _pairs(given: Sequence[str]) -> dict[str, str]:
    found = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals:
            raise ContextError(f"a setting is given as name=value, not {pair!r}")
        found[name] = value
    return found


def _plan(place: Target) -> tuple[Path, Difference]:
    with console.status("building the template"):
        fingerprint = stack_hash(REPOSITORY, place.settings)
        assembly = synthesize(place.settings, fingerprint, place.log)
    with console.status("comparing it with what is deployed"):
        return assembly, diff_stack(assembly, place.environment, place.log)


def _show(difference: Difference) -> None:
    if difference.any:
        console.print(escape(difference.text))
    else:
        console.print("[good]✓[/] nothing would change but the pages")


def _ask(yes: bool, question: str) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        fail("nobody is there to be asked; --yes goes on without")
    click.confirm(question, abort=True, err=True)


def _apply(place: Target, assembly: Path, *, adopt: bool) -> Outputs:
    with console.status("deploying") as status:
        return place.apply(assembly, lambda text: status.update(f"deploying: {text}"), adopt=adopt)


def _announce(outputs: Outputs, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(asdict(outputs)))
    console.print("[good]✓[/] deployed")
    console.print(f"  gallery  [link]{outputs.site_url}/index.html[/]")
    console.print(f"  calls    [link]{outputs.site_url}/chat.html[/]")
    console.print(f"  API      [link]{outputs.api_url}[/]")
    if outputs.distribution_domain:
        console.print(f"  CNAME    {outputs.distribution_domain}  [faint](for your domain)[/]")


def _tell_token(place: AwsTarget, outputs: Outputs) -> None:
    token = first_token(place.account, outputs.table, place.settings)
    if token is None:
        console.print(f"\n  token    in the SSM parameter {FIRST_TOKEN} [faint](encrypted)[/]")
        return
    console.print("\n  the first token (admin and uploader); it is shown this once:")
    click.echo(token)


def _list(found: deploy_removal.Found, place: Target, *, data: bool) -> None:
    if not found.anything:
        console.print(f"nothing of Millrace is deployed to {place.where}")
        return
    console.print(f"  goes    the stack with {found.resources} resources")
    fate = "[bad]goes[/]   " if data else "stays  "
    for name in found.buckets:
        console.print(f"  {fate} bucket {name} and all in it")
    for name in found.tables:
        console.print(f"  {fate} table {name}: every video, token and number")
