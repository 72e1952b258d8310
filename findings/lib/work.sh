# shellcheck shell=bash
# Sourced by all scripts: a temporary folder $work, which goes when the script ends, and pinned packages in it.

# shellcheck disable=SC2034 # used by those who source this
lib=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# python_packages [--no-deps] <name==version>…: into $work/python
python_packages() {
  PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts \
    --target "$work/python" "$@"
}

# node_packages <name@version>…: into $work/node_modules
node_packages() { npm install --silent --no-audit --no-fund --prefix "$work" "$@"; }
