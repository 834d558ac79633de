# SPDX-License-Identifier: Apache-2.0
"""The tree on disk together with its model, changed by the host."""
import os
import subprocess

import agent
import model as M

FILES = ("x", "y", "k.pem", "l.pem", ".env", ".envx", "bx", "b1", "key", "c", "new line\n.pem")
FOLDERS = ("a", "ax", "d", "e", "v", "d.pem")
SHEBANG = "#!/bin/echo "  # a file that is run says its token


class World:
    def __init__(self, dice, top, user):
        self.dice, self.top, self.uid, self.gid = dice, top, user.pw_uid, user.pw_gid
        home = user.pw_dir
        self.work, self.read_only, self.temporary = f"{home}/ws", f"{home}/o", "/tmp/t"
        self.home = home
        self.tokens = 0
        self.aliases = []  # (directory, where the host has bound it)
        self.model = None

    def roots(self):
        return [M.Root(self.work, True, 1), M.Root(self.read_only, False, 1),
                M.Root(self.temporary, True, 2)]

    def token(self):
        self.tokens += 1
        return f"t{self.tokens}"

    # ---- choices ----

    def folders(self):
        tops = [(root.path, root.top) for root in self.model.roots]
        return tops + [(path, entry.obj) for path, entry, _ in self.model.names()
                       if entry.obj.is_directory]

    def some_folder(self):
        return self.dice.choice(self.folders())[0]

    def some_name(self, of_folder=False):
        return self.dice.choice(FOLDERS if of_folder else FILES)

    def some_path(self, of_folder=False):
        """Something that may or may not exist; often a name that a rule is about."""
        exact = [rule for rule, _ in self.model.policy.own] + self.model.policy.managed
        exact = [rule for rule in exact if not any(c in rule for c in "*?[{")]
        if exact and self.dice.random() < 0.2:
            return self.dice.choice(exact)
        return f"{self.some_folder()}/{self.some_name(of_folder)}"

    def some_entry(self, wanted=None):
        """(path, entry) of what exists, or None. @wanted: "file", "folder" or either."""
        found = [(path, entry) for path, entry, _ in self.model.names()
                 if wanted is None or entry.obj.is_directory == (wanted == "folder")]
        return self.dice.choice(found) if found else None

    # ---- the host's operations ----

    def spelled(self, *paths):
        """The same places through a bind mount that the host made, if they all lie below one."""
        for directory, outside in self.aliases:
            at = self.model.path_of(directory)
            if at is not None and all(path.startswith(at + "/") for path in paths):
                if self.dice.random() < 0.5:
                    return [outside + path[len(at):] for path in paths]
        return list(paths)

    def do(self, operation, *arguments):
        """On disk, where it must succeed."""
        code, result = agent.act(operation, *arguments)
        if code != 0:
            raise AssertionError(f"the host's {operation} {arguments}: {os.strerror(code)}")
        return result

    def own(self, path):
        os.chown(path, self.uid, self.gid)

    def create(self, path):
        parent, name, entry = self.model.host(path)
        if parent is None or entry is not None:
            return False
        token, at = self.token(), self.spelled(path)[0]
        self.do("create", at, f"{SHEBANG}{token}\n")
        self.own(at)
        self.model.add(parent, name, M.Object(token))
        return True

    def put(self, path):
        _, _, entry = self.model.host(path)
        if entry is None or entry.obj.is_directory:
            return False
        entry.obj.content = self.token()
        self.do("put", self.spelled(path)[0], f"{SHEBANG}{entry.obj.content}\n")
        return True

    def mkdir(self, path):
        parent, name, entry = self.model.host(path)
        if parent is None or entry is not None:
            return False
        at = self.spelled(path)[0]
        self.do("mkdir", at)
        self.own(at)
        self.model.add(parent, name, M.Object())
        return True

    def chain(self, path):
        """Several levels at once, with a file in the last."""
        done = self.mkdir(path)
        for _ in range(self.dice.randrange(3)):
            path = f"{path}/{self.some_name(True)}"
            done = self.mkdir(path) or done
        return self.create(f"{path}/{self.some_name()}") or done

    def is_kept(self, obj):
        """A directory that a rule opens again is never removed: the job would keep a dead one."""
        return any(M.Model.is_inside(again.obj, obj) for again in self.model.reopened)

    def unlink(self, path):
        parent, name, entry = self.model.host(path)
        if entry is None or self.is_kept(entry.obj):
            return False
        operation = "clear" if entry.obj.is_directory else "unlink"
        self.do(operation, self.spelled(path)[0])
        for _, below, directory in list(self.model.walk(entry.obj, "")):
            self.model.remove(directory, next(n for n, e in directory.children.items() if e is below))
        self.model.remove(parent, name)
        return True

    def replace(self, path):
        return self.unlink(path) and self.create(path)

    def link(self, path, other):
        _, _, entry = self.model.host(path)
        parent, name, there = self.model.host(other)
        if entry is None or entry.obj.is_directory or parent is None or there is not None:
            return False
        if self.model.root_of(path).device != self.model.root_of(other).device:
            return False
        self.do("link", *self.spelled(path, other))
        self.model.add(parent, name, entry.obj)
        return True

    def move(self, path, other, exchange):
        old, new = self.model.host(path), self.model.host(other)
        if old[0] is None or new[0] is None or path == other:
            return False
        if self.model.root_of(path).device != self.model.root_of(other).device:
            return False
        if not self.model.may_rename(old[:2], new[:2], exchange):
            return False
        if not exchange and new[2] is not None and self.is_kept(new[2].obj):
            return False
        self.do("exchange" if exchange else "rename", *self.spelled(path, other))
        (self.model.exchange if exchange else self.model.rename)(old[:2], new[:2])
        return True

    def rename(self, path, other):
        return self.move(path, other, False)

    def exchange(self, path, other):
        return self.move(path, other, True)

    # ---- mounts of the host ----

    def mount(self, *arguments):
        subprocess.run(["mount", *arguments], check=True, capture_output=True)

    def umount(self, path):
        subprocess.run(["umount", path], check=True, capture_output=True)

    def alias(self, path):
        """From now on the host may reach the directory at another place as well."""
        _, _, entry = self.model.host(path)
        if entry is None or not entry.obj.is_directory or len(self.aliases) == 3:
            return False
        outside = f"{self.top}/outside/{len(self.aliases)}"
        os.makedirs(outside, exist_ok=True)
        self.mount("--bind", path, outside)
        self.aliases.append((entry.obj, outside))
        return True

    def aliases_end(self):
        for _, outside in self.aliases:
            self.umount(outside)
        self.aliases = []

    # ---- a fresh tree ----

    def clear(self):
        for root in (self.work, self.read_only, self.temporary):
            if os.path.isdir(root):
                for name in os.listdir(root):
                    path = f"{root}/{name}"
                    self.do("clear" if os.path.isdir(path) else "unlink", path)
            else:
                self.do("mkdir", root)
                self.own(root)

    def fill(self, policy):
        self.clear()
        self.model = M.Model(self.roots(), policy)
        for _ in range(12):
            self.mkdir(f"{self.some_folder()}/{self.some_name(True)}")
        for _ in range(30):
            self.create(f"{self.some_folder()}/{self.some_name()}")
        for _ in range(8):
            one = self.some_entry("file")
            if one is not None:
                self.link(one[0], f"{self.some_folder()}/{self.some_name()}")

    def differences(self):
        """Where the disk is not what the model says: names, contents, which names are one file."""
        numbers = {}
        for root in self.model.roots:
            yield from self.difference(root.path, root.top, numbers)

    def difference(self, path, directory, numbers):
        there, wanted = set(os.listdir(path)), set(directory.children)
        for name in there ^ wanted:
            yield f"{path}/{name}: {'only on disk' if name in there else 'only in the model'}"
        for name in there & wanted:
            obj, at = directory.children[name].obj, f"{path}/{name}"
            seen = os.lstat(at)
            if numbers.setdefault((seen.st_dev, seen.st_ino), obj) is not obj:
                yield f"{at}: is another object"
            if obj.is_directory:
                yield from self.difference(at, obj, numbers)
            elif self.do("read", at) != (f"{SHEBANG}{obj.content}\n" if obj.content else ""):
                yield f"{at}: its content is not {obj.content}"
