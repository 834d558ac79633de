# SPDX-License-Identifier: Apache-2.0
"""Random policies over the tree of a World."""
from matcher import Policy, is_glob

SHAPES = (
    "/**/*.pem", "@/**/.env*", "@/a?/b*", "@/**/{key,k?}", "@/{a,d}/[x-y]*", "@/**/[!a-x]", "@/*/v",
    "@/**/v/**", "@/d/**/x", "@/**/e", "@/**/{a,d}/**/[a-c]*", "@/*/*/x", "@/{x,y,a*/c}", "@/**/d.pem",
    "@/**/b[0-9]", "@/ax/**", "/**/.envx",
)


def some_glob(world):
    places = [world.work, world.read_only, world.temporary, world.home, world.some_folder()]
    return world.dice.choice(SHAPES).replace("@", world.dice.choice(places))


def some_exact(world):
    dice = world.dice
    if dice.random() < 0.25:  # absent, perhaps several levels of it
        path = world.some_folder()
        for _ in range(dice.randrange(1, 3)):
            path += f"/{world.some_name(dice.random() < 0.5)}"
        return path
    wanted = "folder" if dice.random() < 0.4 else "file"
    return (world.some_entry(wanted) or world.some_entry())[0]


def reopened(world, folder, taken):
    """A directory below a denied one, or None."""
    below = [path for path, entry, _ in world.model.names()
             if entry.obj.is_directory and path.startswith(folder + "/") and path not in taken]
    return world.dice.choice(below) if below else None


def is_writable_toml(path):
    return "\n" not in path


def some_policy(world):
    """For the tree that is there. The model has an empty policy until then."""
    dice, own, managed = world.dice, {}, []
    for _ in range(dice.randrange(1, 6)):
        rule = some_glob(world) if dice.random() < 0.6 else some_exact(world)
        if dice.random() < 0.4:
            managed.append(rule)
        else:
            own[rule] = "deny"
    for rule in [r for r in own if not is_glob(r)]:
        again = reopened(world, rule, own) if dice.random() < 0.7 else None
        if again is not None:
            own[again] = dice.choice(["read", "write"])
            if dice.random() < 0.3:
                own[f"{again}/{world.some_name()}"] = "deny"
    own = [(rule, access) for rule, access in own.items() if is_writable_toml(rule)]
    managed = [rule for rule in dict.fromkeys(managed) if is_writable_toml(rule)]
    if not own:
        own = [("/**/*.pem", "deny")]
    base = [("/", "read"), (world.work, "write"), ("/tmp", "write")]
    return Policy(managed, own, base)
