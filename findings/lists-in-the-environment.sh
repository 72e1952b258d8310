#!/usr/bin/env bash
# click 8.5.1, environs 15.2.0 and pydantic-settings 2.16.3 (Python).
#
# Guess: NAMESPACES=shop,web is a list of two for an option of click with multiple=True, and blanks behind commas do not
# matter.
#
# Really: click splits at blanks: "shop,web" is one namespace of that name, and of "shop, web" the first is "shop,".
# environs splits at commas and keeps the blanks: " web". pydantic-settings wants JSON and ends with an error for each of
# them.
#
# Matters: a bot that is moved from one library to another, with the same Deployment, looks at no Canary at all, or at those
# of the first namespace only, and finds nothing wrong with them. Check each name against a namespace at the start.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python click==8.5.1 environs==15.2.0 pydantic-settings==2.16.3 <<'PY'
import os
import click
import environs
import pydantic_settings
from click.testing import CliRunner


@click.command()
@click.option("--namespace", multiple=True, envvar="NAMESPACES")
def of_click(namespace):
    click.echo(list(namespace))


class Settings(pydantic_settings.BaseSettings):
    namespaces: list[str]


for text in ("shop,web", "shop, web", "shop web", '["shop", "web"]'):
    os.environ["NAMESPACES"] = text
    print(repr(text))
    print("  click:", CliRunner().invoke(of_click).output.strip())
    print("  environs:", environs.Env().list("NAMESPACES"))
    try:
        print("  pydantic-settings:", Settings().namespaces)
    except pydantic_settings.SettingsError:
        print("  pydantic-settings: refused")
PY
expect <<'END'
'shop,web'
  click: ['shop,web']
  environs: ['shop', 'web']
  pydantic-settings: refused
'shop, web'
  click: ['shop,', 'web']
  environs: ['shop', ' web']
  pydantic-settings: refused
'shop web'
  click: ['shop', 'web']
  environs: ['shop web']
  pydantic-settings: refused
'["shop", "web"]'
  click: ['["shop",', '"web"]']
  environs: ['["shop"', ' "web"]']
  pydantic-settings: ['shop', 'web']
END
