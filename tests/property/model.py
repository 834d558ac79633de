# SPDX-License-Identifier: Apache-2.0
"""Names, objects, and what each object was ever called since the first job on the tree began.

An entry is a name in a directory, an object what it stands for. Mounts of the job lie on an entry
of a mount and move with the entry, as the kernel has it; through another mount they are not there.
They are masks on what an exact rule denied at the start, directories that are held (bound onto
themselves), and in a mask the directories that a rule opens again.
"""
import itertools

IN_A_BURST = "in a burst"  # the guard denies it, for itself: see Run.in_burst
INHERITED = "in what was"  # and then the name of that directory
CALLED = "by a former name of a directory"  # the guard denied it, see doubt()
CALLED_MAX = 200  # names of one object; with more the guard need not tell, and denies it


class Entry:
    def __init__(self, obj):
        self.obj = obj
        self.mask = None  # the mount on which the mask lies
        self.held = None  # the mount on which it is bound onto itself
        self.reopened = {}  # of a mask: components below it -> Reopened

    @property
    def is_held(self):
        """Something is mounted on it, whichever mount it is seen through."""
        return self.mask is not None or self.held is not None


class Reopened:
    def __init__(self, obj, path, writable):
        self.obj, self.path, self.writable = obj, path, writable


class Object:
    numbers = itertools.count(1)

    def __init__(self, content=None):
        self.number = next(Object.numbers)
        self.content = content  # None: a directory
        self.children = {}
        self.up = None  # of a directory: (the directory above, its name there)
        self.denied = None  # the first denied name that it had
        self.former = set()  # of a directory: names that it had while jobs ran; see call_all()
        self.seen_at = set()  # of a directory: (directory above, name) in what the guard reads at once
        self.doubtful = False  # see doubt()

    @property
    def is_directory(self):
        return self.content is None


class Place:
    """Where a path leads in the job's view."""

    def __init__(self, path, root):
        self.path = path
        self.status = "found"  # or absent, masked (a mask), hidden (below one)
        self.parent, self.name, self.entry = None, None, None
        self.obj = root.top
        self.mount = root.path  # which mount the parent lies on
        self.writable = root.writable
        self.crossed = False  # found through a directory that was opened again

    @property
    def is_masked(self):
        return self.entry is not None and self.entry.mask is self.mount

    @property
    def is_mount(self):
        return self.is_masked or (self.entry is not None and self.entry.held is self.mount)


class Root:
    def __init__(self, path, writable, device):
        self.path, self.writable, self.device = path, writable, device
        self.top = Object()
        self.top.former = {path}


class Model:
    def __init__(self, roots, policy):
        self.roots, self.policy = roots, policy
        self.reopened = []
        self.forgetful = False  # a mutation: nothing is remembered of objects
        self.inherits = True  # see inherit()

    # ---- names ----

    def root_of(self, path):
        return next(r for r in self.roots if path == r.path or path.startswith(r.path + "/"))

    def walk(self, top, path):
        """(path, entry, directory) of every name below."""
        for name, entry in list(top.children.items()):
            yield f"{path}/{name}", entry, top
            if entry.obj.is_directory:
                yield from self.walk(entry.obj, f"{path}/{name}")

    def names(self):
        for root in self.roots:
            yield from self.walk(root.top, root.path)

    def host(self, path):
        """(directory, name, entry or None) as the host sees it."""
        root = self.root_of(path)
        at, parts = root.top, path[len(root.path) + 1:].split("/")
        for part in parts[:-1]:
            entry = at.children.get(part)
            if entry is None or not entry.obj.is_directory:
                return None, None, None
            at = entry.obj
        return at, parts[-1], at.children.get(parts[-1])

    def view(self, path):
        """As the job sees it."""
        root = self.root_of(path)
        place = Place(path, root)
        parts = path[len(root.path) + 1:].split("/") if path != root.path else []
        at, inside = 0, root.path
        while at < len(parts):
            if not place.obj.is_directory:
                place.status, place.parent = "absent", None
                return place
            place.mount = inside
            place.parent, place.name = place.obj, parts[at]
            place.entry = place.obj.children.get(parts[at])
            at += 1
            if place.entry is None:
                place.status = "absent"
                place.parent = place.parent if at == len(parts) else None
                return place
            place.obj = place.entry.obj
            if place.is_masked:
                opened = self.opened(place.entry, parts[at:])
                if opened is None:
                    place.status = "masked" if at == len(parts) else "hidden"
                    return place
                at += len(opened[0])
                place.obj, place.writable = opened[1].obj, opened[1].writable
                place.crossed, place.entry, inside = True, None, opened[1]
            elif place.is_mount:
                inside = place.entry
        return place

    @staticmethod
    def opened(entry, rest):
        for key, reopened in entry.reopened.items():
            if tuple(rest[:len(key)]) == key:
                return key, reopened
        return None

    # ---- what the job's mounts are at the start ----

    def begin(self):
        for _, entry, _ in self.names():
            entry.mask = entry.held = None
            entry.reopened = {}
        self.reopened = []
        self.directory_moved = False  # by the host, since
        exact = [rule for rule, access in self.policy.own if access == "deny"] + self.policy.managed
        exact = sorted({rule for rule in exact if not any(c in rule for c in "*?[{")})
        again = [rule for rule, access in self.policy.own if access != "deny"]
        self.hold_all()
        for path in sorted(exact + again, key=lambda p: p.count("/")):
            if path in exact:
                self.mask(path)
            elif not self.policy.exact_everywhere(path) == "deny":
                self.reopen(path)
        self.note()

    def mask(self, path):
        place = self.view(path)
        if place.status == "found":
            place.entry.mask = place.mount

    def hold_all(self):
        """Above what is denied and is there, and the fixed part of patterns."""
        rules = [(rule, True) for rule in self.policy.managed]
        rules += [(rule, False) for rule, access in self.policy.own if access == "deny"]
        for rule, managed in rules:
            end = min((rule.find(c) for c in "*?[{" if c in rule), default=None)
            above = rule[:end].rsplit("/", 1)[0]
            if any(above == r.path or above.startswith(r.path + "/") for r in self.roots):
                if end is not None or self.view(rule).status == "found":
                    self.hold(above, managed)

    def hold(self, path, managed):
        """From the top, the directories that the job could rename; by managed rules, the user."""
        root = self.root_of(path)
        parts = path[len(root.path) + 1:].split("/") if path != root.path else []
        above = root.path
        for part in parts:
            place = self.view(f"{above}/{part}")
            if (place.status == "found" and place.entry is not None and not place.is_mount
                    and (managed or self.policy.exact_everywhere(above) == "write")):
                place.entry.held = place.mount
            above = place.path

    def reopen(self, path):
        _, _, entry = self.host(path)
        root = self.root_of(path)
        if entry is None or not entry.obj.is_directory:
            return
        parts = path[len(root.path) + 1:].split("/")
        at = root.top
        for depth, part in enumerate(parts[:-1]):
            step = at.children.get(part)
            if step.mask:
                writable = self.policy.exact(path) == "write"
                reopened = Reopened(entry.obj, path, writable)
                step.reopened[tuple(parts[depth + 1:])] = reopened
                self.reopened.append(reopened)
                return
            at = step.obj

    # ---- history ----

    def note(self, in_burst=False):
        """
        Every object that has a denied name now has had one from here on. @in_burst: what the guard
        reads of this it reads together with what was noted before.
        """
        if self.forgetful:
            return
        self.call_all(in_burst)
        for path, entry, _ in self.names():
            if entry.obj.denied is None and self.policy.denied(path):
                entry.obj.denied = path
        for again in self.reopened:
            for path, entry, _ in self.walk(again.obj, again.path):
                if entry.obj.denied is None and self.policy.denied(path):
                    entry.obj.denied = path

    def doubt(self):
        """
        The next job's guard knows of a directory that it had other names, not when: what is below
        may be judged as if it had been there all the time.
        """
        reopens = any(access != "deny" for _, access in self.policy.own)
        for _, entry, _ in self.names():
            denied = entry.obj.denied or ""
            # By the name that the directory had, what came into it later may be what is opened again.
            if IN_A_BURST in denied or (reopens and denied.startswith((INHERITED, CALLED))):
                entry.obj.denied, entry.obj.doubtful = None, True
        for root in self.roots:
            self.doubt_below(root.top, {root.path})

    def doubt_below(self, directory, names):
        for name, entry in directory.children.items():
            obj, called = entry.obj, {f"{above}/{name}" for above in names}
            called |= obj.former
            obj.doubtful |= (directory.doubtful or len(called) > CALLED_MAX
                             or any(self.policy.denied(path) for path in called))
            if obj.is_directory:
                self.doubt_below(obj, set(itertools.islice(called, CALLED_MAX)))

    def call_all(self, in_burst):
        """
        Each directory's former names: also those below former names of what it is in. In a burst
        the guard gives what left a directory the names that this had by the burst's end.
        """
        folders = [(entry.obj, (above, name)) for above in self.directories()
                   for name, entry in above.children.items() if entry.obj.is_directory]
        for obj, place in folders:
            obj.seen_at = obj.seen_at | {place} if in_burst else {place}
        changed = True
        while changed:
            changed = False
            for obj, _ in folders:
                known = len(obj.former)
                self.call(obj)
                changed |= len(obj.former) > known

    def directories(self):
        """Those above first."""
        for root in self.roots:
            yield root.top
            yield from (entry.obj for _, entry, _ in self.walk(root.top, "") if entry.obj.is_directory)

    @staticmethod
    def call(obj):
        for above, name in obj.seen_at:
            obj.former |= {f"{path}/{name}" for path in above.former}
        obj.former = set(itertools.islice(obj.former, CALLED_MAX + 1))

    def path_of(self, directory):
        """None: it is nowhere."""
        names = []
        while directory.up is not None:
            directory, name = directory.up
            names.append(name)
        for root in self.roots:
            if root.top is directory:
                return "/".join([root.path] + names[::-1])
        return None

    def inherit(self, parent, obj):
        """What comes into a directory that was denied and now has another name is denied."""
        if self.inherits and parent.doubtful:
            for one in [obj] + [entry.obj for _, entry, _ in self.walk(obj, "")]:
                one.doubtful = True
        if self.inherits and parent.denied and not self.policy.denied(self.path_of(parent)):
            for one in [obj] + [entry.obj for _, entry, _ in self.walk(obj, "")]:
                one.denied = one.denied or f"{INHERITED} {parent.denied}"

    def denied(self, place):
        return self.policy.denied(place.path) or place.obj.denied is not None

    # ---- operations, in terms of directories and names ----

    def add(self, parent, name, obj):
        self.put(parent, name, Entry(obj))

    @staticmethod
    def remove(parent, name):
        entry = parent.children.pop(name)
        if entry.obj.is_directory:
            entry.obj.up = None

    def put(self, parent, name, entry):
        parent.children[name] = entry
        if entry.obj.is_directory:
            entry.obj.up = (parent, name)
        self.inherit(parent, entry.obj)

    def rename(self, old, new):
        """@old, @new: (directory, name)."""
        source, target = old[0].children[old[1]], new[0].children.get(new[1])
        if target is not None and target.obj is source.obj:
            return  # two names of one file: rename(2) does nothing
        if target is not None:
            self.remove(*new)
        old[0].children.pop(old[1])
        self.put(*new, source)

    def exchange(self, old, new):
        source, target = old[0].children[old[1]], new[0].children[new[1]]
        if target.obj is source.obj:
            return
        self.put(*new, source)
        self.put(*old, target)

    @staticmethod
    def is_inside(directory, obj):
        """Is @directory @obj or somewhere below it?"""
        at = directory
        while at is not None:
            if at is obj:
                return True
            at = at.up[0] if at.up else None
        return False

    @staticmethod
    def may_rename(old, new, exchange):
        """Does rename(2) allow this, permissions aside?"""
        source, target = old[0].children.get(old[1]), new[0].children.get(new[1])
        if source is None or (exchange and target is None):
            return False
        if Model.is_inside(new[0], source.obj):
            return False
        if target is None:
            return True
        if Model.is_inside(old[0], target.obj):
            return False
        if exchange:
            return True
        if source.obj.is_directory != target.obj.is_directory:
            return False
        return not target.obj.children

    @staticmethod
    def is_possible(operation, places):
        """Permissions aside."""
        if any(place.parent is None for place in places):
            return False
        first, last = places[0], places[-1]
        if operation in ("create", "mkdir"):
            return first.entry is None
        if first.entry is None:
            return False
        if operation == "link":
            return last.entry is None and not first.obj.is_directory
        if operation in ("put", "truncate", "chmod"):
            return not first.obj.is_directory
        if operation == "unlink":
            return not first.obj.is_directory or not first.obj.children
        return Model.may_rename((first.parent, first.name), (last.parent, last.name),
                                  operation == "exchange")
