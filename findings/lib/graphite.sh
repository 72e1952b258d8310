# shellcheck shell=bash
# Sourced by the scripts about Graphite: unpacks its web application 1.1.10 into a temporary folder, which goes when the
# script ends, and runs the Python on standard input with lib/graphite_bed.py at hand.

. "$(dirname "${BASH_SOURCE[0]}")/work.sh"

with_graphite() {
  python_packages --no-deps graphite-web==1.1.10 whisper==1.1.10 Django==3.0.14 django-tagging==0.4.3 asgiref==3.8.1 \
    pyparsing==3.1.4 pytz==2024.2 six==1.17.0 sqlparse==0.5.3 urllib3==2.2.3 setuptools==75.3.2 \
    'legacy-cgi==2.6.2; python_version >= "3.13"'
  # Newer versions of setuptools, with which pip builds it, leave the application in the folder that its setup.cfg names.
  local path="$lib:$work/python:$work/python/opt/graphite/webapp"
  WORK="$work" PYTHONWARNINGS=ignore PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$path" python3 - 2>"$work/log" ||
    { cat "$work/log" >&2; return 1; }
}
