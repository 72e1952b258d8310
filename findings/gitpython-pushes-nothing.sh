#!/usr/bin/env bash
# GitPython 3.2.1, against dulwich 1.2.21 (Python), with git 2.39.5 (Debian 12).
#
# Guess: push() of a commit that the server refuses raises, and a repository with a new file in it is dirty.
#
# Really: push() returns, for a branch that somebody else has moved and for one that a hook protects: the refusal is in
# `error` of the list that it returns. It raises where the server is not reached. is_dirty() is False for files that git
# does not know yet. dulwich raises.
#
# Matters: a bot that writes the version of a release to Git tells of a release that no GitOps tool ever sees, and one that
# commits only when the repository is dirty never commits a new Canary. Call push().raise_if_error(), and
# is_dirty(untracked_files=True).
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
export WORK="$work" GIT_CONFIG_GLOBAL="$work/gitconfig" GIT_CONFIG_NOSYSTEM=1
printf '[user]\nname = bot\nemail = bot@example.com\n' >"$GIT_CONFIG_GLOBAL"
with_python GitPython==3.2.1 dulwich==1.2.21 <<'PY'
import logging, os
import git
from dulwich import porcelain

logging.disable(logging.CRITICAL)
work = os.environ["WORK"]
server = git.Repo.init(f"{work}/server.git", bare=True, initial_branch="main")


def write(repository, text):
    with open(f"{repository.working_dir}/canary.yaml", "w") as file:
        file.write(text)


def commit(repository, text):
    write(repository, text)
    repository.index.add(["canary.yaml"])
    repository.index.commit(text)


def push(what, repository):
    try:
        told = repository.remotes.origin.push("main")
        print(f"{what}: returns {[entry.summary.strip() for entry in told]}, error {type(told.error).__name__}")
    except git.GitCommandError:
        print(f"{what}: raises")
    if os.path.exists(server.git_dir):
        print("  at the server:", server.heads.main.commit.message)


mine = git.Repo.clone_from(server.git_dir, f"{work}/mine")
write(mine, "one")
print("a new file is dirty:", mine.is_dirty(), "with untracked_files:", mine.is_dirty(untracked_files=True))
commit(mine, "one")
mine.remotes.origin.push("HEAD:main")
other = git.Repo.clone_from(server.git_dir, f"{work}/other")
commit(other, "two")
other.remotes.origin.push("main")

commit(mine, "three")
push("moved branch", mine)
try:
    porcelain.push(mine.working_dir, server.git_dir, "refs/heads/main")
except Exception as error:
    print("moved branch, dulwich: raises", type(error).__name__)
hook = f"{server.git_dir}/hooks/pre-receive"
os.makedirs(os.path.dirname(hook), exist_ok=True)
with open(hook, "w") as file:
    file.write("#!/bin/sh\nexit 1\n")
os.chmod(hook, 0o755)
commit(other, "four")
push("hook", other)
try:
    other.remotes.origin.push("main").raise_if_error()
except git.GitCommandError:
    print("hook, raise_if_error(): raises")
os.rename(server.git_dir, f"{work}/gone.git")
push("no server", other)
PY
expect <<'END'
a new file is dirty: False with untracked_files: True
moved branch: returns ['[rejected] (fetch first)'], error GitCommandError
  at the server: two
moved branch, dulwich: raises DivergedBranches
hook: returns ['[remote rejected] (pre-receive hook declined)'], error GitCommandError
  at the server: two
hook, raise_if_error(): raises
no server: raises
END
