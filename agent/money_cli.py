"""The command line of money: `./june money` and its commands."""

from typing import Annotated

import typer

from agent.command import ConfigOption, JsonOption, settings_without_logs, show

money = typer.Typer(
    help="See what is spent today, stop June, and let her go on. A worker may go on running.",
    rich_markup_mode=None,
)


@money.callback(invoke_without_command=True)
def todays_money(
    context: typer.Context, *, as_json: JsonOption = False, config: ConfigOption = None
) -> None:
    """Without a command: `show`."""
    context.obj = config or context.obj
    if context.invoked_subcommand is None:
        show_money(context, as_json=as_json)
    elif as_json:
        raise typer.BadParameter("it belongs behind `show`", param_hint="`--json`")


@money.command("show")
def show_money(
    context: typer.Context, *, as_json: JsonOption = False, config: ConfigOption = None
) -> None:
    """Show what is spent today, of which limit, and whether June is stopped."""
    from agent.money_command import shown

    show(shown(settings_without_logs(config or context.obj), as_json=as_json))


@money.command("pause")
def pause_money(
    context: typer.Context,
    *,
    minutes: Annotated[int, typer.Option(min=1, max=10_080, help="So long.")] = 30,
    config: ConfigOption = None,
) -> None:
    """Stop June: she answers nobody, and says that she is unavailable."""
    from agent.money_command import paused

    show(paused(settings_without_logs(config or context.obj), minutes=minutes))


@money.command("resume")
def resume_money(context: typer.Context, config: ConfigOption = None) -> None:
    """Let June go on before the time is over."""
    from agent.money_command import resumed

    show(resumed(settings_without_logs(config or context.obj)))
