#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""property.py --cordon PROGRAM --top FOLDER [--seed N] [--steps N] [--mutate KIND]

Random policies, trees and operations by the job and by the host; after each step what the job
can open, run and list is compared with the model. See README.md.
"""
import argparse
import collections
import errno
import os
import pwd
import random
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import model as M  # noqa: E402
import policies  # noqa: E402
from job import MECHANISMS, Job, Mismatch, mechanism  # noqa: E402
from matcher import Policy  # noqa: E402
from world import SHEBANG, World  # noqa: E402

# What the job's operation on something denied must give, by mechanism: "refused", or "may" where
# platform/linux/README.md says U (its content stays unreadable) or that it is not covered. Opening,
# running and listing are refused always; so is what is masked, held in its place, or read-only.
TABLE = {
    # operation:           fanotify   bpf
    ("create", "denied"): ("may", "refused"),    # U: a match that the job itself creates
    ("mkdir", "denied"): ("may", "refused"),
    ("rename", "denied"): ("may", "refused"),    # U: out of, or to, a denied name
    ("exchange", "denied"): ("may", "refused"),
    ("link", "denied"): ("may", "refused"),
    ("unlink", "denied"): ("may", "refused"),    # not covered: matches of a pattern
    ("truncate", "denied"): ("may", "refused"),
    ("chmod", "denied"): ("may", "refused"),
    ("rename", "differs"): ("may", "refused"),   # something below, under one of the names
    ("exchange", "differs"): ("may", "refused"),
    ("rename", "below"): ("may", "may"),         # ... under both, or what was denied once: it stays so
    ("exchange", "below"): ("may", "may"),
    ("rename", "folder"): ("must", "may"),       # EXDEV where the matcher's state would change
    ("exchange", "folder"): ("must", "may"),
}

HOST = (("create", 14), ("put", 4), ("replace", 8), ("chain", 8), ("unlink", 7), ("link", 10),
        ("rename", 22), ("exchange", 10), ("alias", 1), ("cover", 3))
JOB = (("create", 14), ("put", 6), ("mkdir", 6), ("unlink", 6), ("rename", 20), ("exchange", 8),
       ("link", 12), ("truncate", 3), ("chmod", 3))
SPELLINGS = ("plain", "plain", "dotted", "relative", "link", "directory", "descriptor", "both")
NEXT_JOB = 0.03  # a step is a job's last; the next one is on the same tree
FULL_SWEEP = 25  # steps between two comparisons of everything
CROWD = 90       # names; from there on more is removed than made
BURST = 0.1      # of the steps are several operations at once


class Run:
    """One tree under one policy, and the jobs on it, one after the other."""

    def __init__(self, options, world, column):
        self.options, self.world, self.column = options, world, column
        self.dice = world.dice
        # Several operations with no open between: the guard reads of them all at once. By then a
        # directory that moved may hold what was never below its old name, and a file that was
        # linked before a rename to a denied name looks like what that replaced. They stay denied.
        self.in_burst = self.moved = False
        self.log = collections.deque(maxlen=options.log)
        world.fill(Policy([], [], []))
        self.policy = policies.some_policy(world)
        given = self.policy
        index = self.dice.randrange(100)
        if options.mutate == "rule":
            given = self.policy.without(index)
        elif options.mutate == "model":
            self.policy = self.policy.without(index)
        self.configure(given)
        self.model = world.model
        self.model.policy = self.policy
        self.model.forgetful = options.mutate == "history"
        # The kernel's program judges by the old names, which open again what they did.
        self.model.inherits = MECHANISMS[column] == "fanotify" and not self.model.forgetful
        self.model.begin()
        self.job = Job(options.cordon, options.top, world)

    def reopens_files(self):
        """A rule that opens a directory again names a file by now: the model knows no such."""
        for path in [rule for rule, access in self.policy.own if access != "deny"]:
            entry = self.model.host(path)[2]
            if entry is not None and not entry.obj.is_directory:
                return True
        return False

    def next_job(self):
        if self.reopens_files():
            return
        killed = self.dice.random() < 0.5
        self.moved, self.in_burst = False, killed
        for _ in range(self.dice.randrange(1, 8) if killed else 0):
            self.operate()
        if self.reopens_files():
            self.log.append("(a burst)")
        else:
            self.replace_job(killed)
        self.compare(self.everything())
        self.in_burst = False

    def replace_job(self, killed):
        if killed:
            self.die()
        else:
            self.end()
        self.log.append("(the next job)")
        self.model.doubt()
        self.model.begin()
        self.job = Job(self.options.cordon, self.options.top, self.world)

    def die(self):
        """No open came after the burst: the guard may have read none of it, or is killed meanwhile."""
        self.log.append("(killed)")
        self.job.kill()
        self.world.aliases_end()

    def configure(self, policy):
        path = "/etc/codex/requirements.toml"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        for path, text in ((path, policy.text_managed()),
                           (f"{self.world.home}/.codex/config.toml", policy.text_own())):
            with open(path + ".new", "w", encoding="utf-8") as stream:
                stream.write(text)
            os.rename(path + ".new", path)

    # ---- comparing ----

    def probes(self, path):
        """[request, what it must give: a result, or None for a refusal] for one name."""
        place = self.model.view(path)
        seen = place.status == "found" and not self.model.denied(place)
        if place.status == "found" and place.obj.is_directory:
            yield ["list", path], sorted(place.obj.children) if seen else None
            return
        content = place.obj.content if place.status == "found" else None
        text = f"{SHEBANG}{content}\n" if content else ""
        how = self.dice.choice(SPELLINGS)
        readable = seen and (how != "both" or place.writable)
        yield ["read", path, how], text if readable else None
        yield ["write", path], "" if seen and place.writable else None
        if self.dice.random() < 0.15:
            yield ["exec", path], f"{content} {path}\n" if seen and content else None
        if place.status != "found" and self.dice.random() < 0.3:
            yield ["list", path], None

    def compare(self, paths):
        wanted = [probe for path in dict.fromkeys(paths) for probe in self.probes(path)]
        answers = self.job.ask([request for request, _ in wanted]) if wanted else []
        for (request, want), (code, got) in zip(wanted, answers):
            if request[0] == "write":
                got = "" if code == 0 else None
            if want is None and code == 0:
                raise Mismatch(f"{request}: must be refused, gave {got!r}; {self.why(request[1])}")
            if want is not None and code == errno.EPERM and self.keeps_names():
                continue
            if (want is not None and code == errno.EPERM and self.in_burst and self.moved
                    and MECHANISMS[self.column] == "fanotify"):
                obj = self.model.view(request[1]).obj
                obj.denied = obj.denied or M.IN_A_BURST
                continue
            if want is not None and code == errno.EPERM and self.is_doubtful(request[1]):
                continue
            if want is not None and (code != 0 or got != want):
                raise Mismatch(f"{request}: must give {want!r}, gave {errno.errorcode.get(code)} "
                               f"{got!r}; {self.why(request[1])}")

    def is_doubtful(self, path):
        """Denied by a name that a directory above had in an earlier job: from now on it is."""
        obj = self.model.view(path).obj
        if obj.doubtful and MECHANISMS[self.column] == "fanotify":
            obj.denied = obj.denied or M.CALLED
            return True
        return False

    def keeps_names(self):
        """A directory that the host moved keeps its old names, for what comes later as well, and
        files with several links may be below it: the kernel's program denies more then."""
        return MECHANISMS[self.column] == "bpf" and self.model.directory_moved

    def why(self, path):
        place = self.model.view(path)
        return (f"model: {place.status}, by name {self.policy.access(path)}, "
                f"object {place.obj.number} once {place.obj.denied}")

    def everything(self):
        names = [path for path, _, _ in self.model.names()]
        names += [path for again in self.model.reopened
                  for path, _, _ in self.model.walk(again.obj, again.path)]
        return names + [root.path for root in self.model.roots]

    def sample(self):
        names = self.everything()
        return self.dice.sample(names, min(5, len(names))) + [self.world.some_path()]

    def sweep(self):
        self.compare(self.everything())
        for difference in self.world.differences():
            raise Mismatch(f"the tree: {difference}")

    # ---- the job's operations ----

    def verdict(self, operation, places):
        """("must" | "may" | "refused", why)"""
        model = self.model
        if not model.is_possible(operation, places):
            return "refused", "not possible"
        if operation in ("rename", "exchange") and places[0].obj is places[1].obj:
            return "may", "two names of one object: nothing happens"
        if any(place.status in ("masked", "hidden") for place in places):
            return "refused", "masked"
        # A file may be there where a pattern has a directory: it cannot be linked away either.
        if operation == "link" and any(p.is_mount for p in places):
            return "refused", "held in its place"
        # What something is mounted on is not moved through any mount (is_local_mountpoint() in the
        # kernel): the host may have brought it where its own mount is not seen.
        if (operation in ("rename", "exchange", "unlink")
                and any(p.entry is not None and p.entry.is_held for p in places)):
            return "refused", "held in its place"
        if len(places) == 2 and (places[0].mount is not places[1].mount):
            return "refused", "across mounts"
        if not all(place.writable for place in places):
            return "refused", "read-only"
        if operation == "put" and model.denied(places[0]):
            return "refused", "open for writing"
        if ((operation == "put" and places[0].obj.doubtful)
                or (operation == "create" and places[0].parent.doubtful)):
            return "may", M.CALLED
        denied = operation != "put" and self.about_denied(operation, places)
        if denied:
            return TABLE[operation, denied[0]][self.column], "{}: {}".format(*denied)
        if any(p.entry is not None and p.obj.is_directory for p in places):
            want = TABLE.get((operation, "folder"), ("must", "must"))[self.column]
            return ("may" if want == "must" and self.keeps_names() else want), "allowed"
        return ("may" if self.keeps_names() else "must"), "allowed"

    def about_denied(self, operation, places):
        """(kind of the table, what is denied); None: nothing of it."""
        names = [place.path for place in places]
        if operation not in ("truncate", "chmod") and any(p.parent.denied for p in places):
            return "denied", "the directory"
        objects = [place.obj for place in places if place.entry is not None]
        for name in names:
            if self.policy.denied(name):
                return "denied", name
        for obj in objects:
            if obj.denied is not None:
                return "denied", f"object {obj.number}, once {obj.denied}"
        below = [(sub, entry.obj) for obj in objects for sub, entry, _ in self.model.walk(obj, "")]
        kind = None
        for sub, obj in below:
            verdicts = {self.policy.denied(name + sub) for name in names}
            if len(verdicts) > 1:
                return "differs", sub
            if True in verdicts or obj.denied is not None:
                kind = "below", sub
        return kind

    def apply(self, operation, places, token):
        first, last = places[0], places[-1]
        if operation == "create":
            self.model.add(first.parent, first.name, M.Object(token))
        elif operation == "mkdir":
            self.model.add(first.parent, first.name, M.Object())
        elif operation == "unlink":
            self.model.remove(first.parent, first.name)
        elif operation == "link":
            self.model.add(last.parent, last.name, first.obj)
        elif operation in ("put", "truncate"):
            first.obj.content = token if operation == "put" else ""
        elif operation != "chmod":
            act = self.model.exchange if operation == "exchange" else self.model.rename
            act((first.parent, first.name), (last.parent, last.name))

    def choose(self, operation):
        """Paths for it."""
        world, folder = self.world, self.dice.random() < 0.4
        if operation in ("create", "mkdir", "chain"):
            return [world.some_path(operation != "create")]
        files = operation in ("put", "truncate", "chmod", "link", "replace")
        one = world.some_entry("file" if files or not folder else None)
        if operation in ("alias", "cover"):
            one = world.some_entry("folder")
        if one is None:
            return None
        if operation == "exchange":
            return [one[0], world.some_entry()[0]]
        if operation in ("rename", "link"):
            return [one[0], world.some_path(one[1].obj.is_directory)]
        return [one[0]]

    def by_job(self, operation, paths):
        places = [self.model.view(path) for path in paths]
        if any(place.entry is None and place.status == "found" for place in places):
            return  # the top of a tree, or of what is opened again
        if len(paths) == 2 and paths[0] == paths[1]:
            return
        if places[-1].entry is not None and self.world.is_kept(places[-1].obj):
            if operation in ("rename", "unlink"):
                return
        if operation == "unlink" and places[0].obj.is_directory:
            request = ["rmdir", *paths]
        else:
            request = [operation, *paths]
        token = self.world.token()
        if operation in ("create", "put"):
            request.append(f"{SHEBANG}{token}\n")
        want, why = self.verdict(operation, places)
        if operation == "put" and want == "must" and self.in_burst and self.moved:
            want = "may"
        code, _ = self.job.ask([request])[0]
        self.log.append(f"job: {request} -> {errno.errorcode.get(code, code)} ({want}: {why})")
        if (want == "must" and code != 0) or (want == "refused" and code == 0):
            raise Mismatch(f"{request}: {want} ({why}), but {errno.errorcode.get(code, 'done')}")
        if code == 0:
            self.apply(operation, places, token)
        elif operation == "create" and want == "may" and self.is_on_disk(places[0]):
            self.apply(operation, places, "")
        self.model.note(self.in_burst)

    def is_on_disk(self, place):
        at = self.model.path_of(place.parent)
        return at is not None and os.path.lexists(f"{at}/{place.name}")

    # ---- the host's ----

    def by_host(self, operation, paths):
        if operation == "cover":
            self.cover(paths[0])
            return
        if operation in ("rename", "exchange"):
            entries = [self.model.host(path)[2] for path in paths]
            self.model.directory_moved |= any(e and e.obj.is_directory for e in entries)
        done = getattr(self.world, operation)(*paths)
        self.log.append(f"host: {operation} {paths}{'' if done else ' (not possible)'}")
        self.model.note(self.in_burst)

    def cover(self, path):
        """Another mount on a directory of the tree, of which the job must see nothing."""
        folders = [p for p, _ in self.world.folders() if not p.startswith(path + "/")]
        source = self.dice.choice(folders)
        kind = ["-t", "tmpfs", "tmpfs"] if self.dice.random() < 0.5 else ["--bind", source]
        self.log.append(f"host: mount {kind} on {path}, then umount")
        self.world.mount(*kind, path)
        try:
            self.compare([p for p in self.everything() if p == path or p.startswith(path + "/")])
        finally:
            self.world.umount(path)

    # ---- steps ----

    def operate(self):
        """One operation; the names that it is about."""
        side = HOST if self.dice.random() < 0.5 else JOB
        operations, weights = zip(*side)
        operation = self.dice.choices(operations, weights)[0]
        if operation in ("create", "chain", "mkdir", "link") and len(self.everything()) > CROWD:
            operation = "unlink"
        if operation == "cover" and self.in_burst:
            return []
        paths = self.choose(operation)
        if paths is not None:
            self.moved |= operation in ("rename", "exchange")
            (self.by_host if side is HOST else self.by_job)(operation, paths)
        return [name for path in paths or [] for name in self.near(path)]

    def step(self, number):
        touched, self.moved = [], False
        self.in_burst = self.dice.random() < BURST
        for _ in range(self.dice.randrange(2, 6) if self.in_burst else 1):
            touched += self.operate()
        if self.in_burst:
            self.log.append("(a burst)")
            self.compare(self.everything())
            self.in_burst = False
        self.compare(touched[:12] + self.sample())
        if number % FULL_SWEEP == 0:
            self.sweep()

    def near(self, path):
        yield path
        _, _, entry = self.model.host(path)
        if entry is not None and entry.obj.is_directory:
            for name, _, _ in self.model.walk(entry.obj, path):
                yield name

    def end(self):
        self.job.end()
        self.world.aliases_end()


def report(run, seed, step, mismatch):
    print(f"MISMATCH seed {seed}, step {step}: {mismatch}")
    if run is not None:
        print("policy given and assumed, managed then own:")
        print(run.policy.text_managed() + run.policy.text_own())
        print("held:", [p for p, e, _ in run.model.names() if e.held])
        print("masked:", [p for p, e, _ in run.model.names() if e.mask])
        print("\n".join(run.log))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cordon", required=True)
    parser.add_argument("--top", required=True)
    parser.add_argument("--user", default="cordon-a")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--log", type=int, default=30, help="operations shown with a mismatch")
    parser.add_argument("--mutate", choices=("rule", "model", "history"))
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(1 << 32) if options.seed is None else options.seed
    name = mechanism(options.cordon)
    print(f"seed {seed}, {options.steps} steps, mechanism {name}", flush=True)
    world = World(random.Random(seed), options.top, pwd.getpwnam(options.user))
    began, step, jobs, run, noticed = time.monotonic(), 0, 0, None, False
    try:
        while step < options.steps:
            run, jobs = None, jobs + 1
            run = Run(options, world, MECHANISMS.index(name))
            for _ in range(min(world.dice.randrange(100, 300), options.steps - step)):
                step += 1
                run.step(step)
                # What the host moves the kernel's program keeps for the job that runs.
                if name == "fanotify" and world.dice.random() < NEXT_JOB:
                    jobs += 1
                    run.next_job()
            run.sweep()
            run.end()
    except Mismatch as mismatch:
        noticed = bool(options.mutate)
        if not noticed:
            report(run, seed, step, mismatch)
            sys.exit(1)
        run.end()
    world.clear()
    os.rmdir(world.temporary)
    if options.mutate:
        print(f"mutation {options.mutate}: {'' if noticed else 'not '}noticed in {step} steps")
        sys.exit(0 if noticed else 1)
    took = time.monotonic() - began
    print(f"figure: {step} steps in {jobs} jobs, {step / took:.0f} steps a second, seed {seed}")


if __name__ == "__main__":
    main()
