#!/usr/bin/env bash
# django-waffle 5.0.0, Django 5.2.19 (Python).
#
# Guess: a flag of 10 % that is raised to 50 and to 99.9 reaches half of the visitors and then nearly all of them.
#
# Really: the draw is kept in a cookie, a False for 30 days just as a True, and the cookie is asked before the percentage.
# Whoever came during the first step keeps the old code at every later one; only newcomers are drawn at the new
# percentage. With rollout=True the cookie of a False ends with the browser's session, which is all that changes.
# 0 and no percentage are off for all. A request without a user (no AuthenticationMiddleware) is never drawn.
#
# Matters: after a release by steps the regular visitors, who came first, are on the old code, and the share that is
# measured is that of newcomers; when the flag is removed they all change at once. Draw by a hash of the user, or
# change the flag's name with each step, and set everyone=True at the end.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python django-waffle==5.0.0 Django==5.2.19 <<'PY'
import django
from django.conf import settings

USERS = ["django.contrib.sessions.middleware.SessionMiddleware", "django.contrib.auth.middleware.AuthenticationMiddleware"]
settings.configure(
    SECRET_KEY="seen",
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "waffle"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    ROOT_URLCONF="__main__",
    MIDDLEWARE=[*USERS, "waffle.middleware.WaffleMiddleware"],
    ALLOWED_HOSTS=["*"],
)
django.setup()

import waffle
from django.core.management import call_command
from django.http import HttpResponse
from django.test import Client
from django.urls import path

call_command("migrate", verbosity=0)
urlpatterns = [path("", lambda request: HttpResponse("new" if waffle.flag_is_active(request, "canary") else "old"))]
Flag = waffle.get_waffle_flag_model()


def new(visitors):
    return sum(visitor.get("/").content == b"new" for visitor in visitors)


def about(found, share):
    return f"about {share} %" if abs(found / 4 - share) < 9 else f"{found / 4} %"


for rollout in (False, True):
    Flag.objects.all().delete()
    flag = Flag.objects.create(name="canary", percent=10, rollout=rollout)
    visitors = [Client() for _ in range(400)]
    first = new(visitors)
    ages = sorted({f"{visitor.cookies['dwf_canary'].value} for {visitor.cookies['dwf_canary']['max-age'] or 'the session'}" for visitor in visitors})
    print(f"rollout={rollout}, 10 %: {about(first, 10)}; cookies: {', '.join(ages)}")
    for percent in (50, 99.9):
        flag.percent = percent
        flag.save()
        same = "the same visitors as at 10 %" if new(visitors) == first else "others"
        print(f"rollout={rollout}, {percent} %: {same}, of newcomers {about(new(Client() for _ in range(400)), percent)}")

settings.MIDDLEWARE = ["waffle.middleware.WaffleMiddleware"]
print(f"99.9 % without a user at the request: {new(Client() for _ in range(400))} of 400")
PY
expect <<'END'
rollout=False, 10 %: about 10 %; cookies: False for 2592000, True for 2592000
rollout=False, 50 %: the same visitors as at 10 %, of newcomers about 50 %
rollout=False, 99.9 %: the same visitors as at 10 %, of newcomers about 99.9 %
rollout=True, 10 %: about 10 %; cookies: False for the session, True for 2592000
rollout=True, 50 %: the same visitors as at 10 %, of newcomers about 50 %
rollout=True, 99.9 %: the same visitors as at 10 %, of newcomers about 99.9 %
99.9 % without a user at the request: 0 of 400
END
