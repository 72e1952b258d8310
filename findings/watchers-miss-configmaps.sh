#!/usr/bin/env bash
# watchdog 7.1.0 and watchfiles 1.3.0 (Python), on a folder that is changed as the kubelet changes that of a ConfigMap.
#
# Guess: a watch of /etc/config/config.yaml, or of its folder with the pattern "*/config.yaml", tells of each change of the
# ConfigMap.
#
# Really: config.yaml is a link to ..data/config.yaml, and ..data a link to a folder that is replaced. Nothing happens to
# config.yaml: watchdog never calls the handler of the file, nor that of the pattern, though the text has changed.
# watchfiles on the file tells of the first change and of no other; on the folder it tells of ..data each time, and never
# of config.yaml.
#
# Matters: a bot or a service that reads its limits or its flags again when their file changes keeps the old ones in a
# Pod, while it works on the machine of its author, who edits the file. Watch the folder, and read the file again at each
# event.
#
# Seen, of three changes: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
export FOLDER="$work/config"
mkdir "$FOLDER"
with_python watchdog==7.1.0 watchfiles==1.3.0 <<'PY'
import os, shutil, threading, time
import watchfiles
from watchdog.events import FileSystemEventHandler, PatternMatchingEventHandler
from watchdog.observers import Observer

folder = os.environ["FOLDER"]
names = ("watchdog, file", "watchdog, pattern", "watchdog, folder", "watchfiles, file", "watchfiles, folder")
told = {name: set() for name in names}
now = 0


def write(number):
    os.mkdir(f"{folder}/..{number}")
    with open(f"{folder}/..{number}/config.yaml", "w") as file:
        file.write(f"limit: {number}\n")
    os.symlink(f"..{number}", f"{folder}/..data_tmp")
    os.rename(f"{folder}/..data_tmp", f"{folder}/..data")
    if number:
        shutil.rmtree(f"{folder}/..{number - 1}")


def handler(kind, name, **options):
    class Handler(kind):
        def on_any_event(self, event):
            told[name].add(now)

    return Handler(**options)


def watch(name, path):
    for _ in watchfiles.watch(path, stop_event=stop):
        told[name].add(now)


write(0)
file = f"{folder}/config.yaml"
os.symlink("..data/config.yaml", file)
observers = [Observer() for _ in range(3)]
observers[0].schedule(handler(FileSystemEventHandler, names[0]), file)
observers[1].schedule(handler(PatternMatchingEventHandler, names[1], patterns=["*/config.yaml"]), folder)
observers[2].schedule(handler(FileSystemEventHandler, names[2]), folder)
for observer in observers:
    observer.start()
stop = threading.Event()
for name, path in ((names[3], file), (names[4], folder)):
    threading.Thread(target=watch, args=(name, path), daemon=True).start()
time.sleep(3)
for now in (1, 2, 3):
    write(now)
    time.sleep(5)
stop.set()
with open(file) as text:
    print("the file says at last:", text.read().strip())
for name in names:
    print(f"{name}: told of {sorted(told[name])}")
PY
expect <<'END'
the file says at last: limit: 3
watchdog, file: told of []
watchdog, pattern: told of []
watchdog, folder: told of [1, 2, 3]
watchfiles, file: told of [1]
watchfiles, folder: told of [1, 2, 3]
END
