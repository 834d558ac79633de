# SPDX-License-Identifier: Apache-2.0
"""Of cordon: a job with the agent in it, and by what it decides at access time."""
import json
import pwd
import subprocess
import sys

MECHANISMS = ("fanotify", "bpf")


class Mismatch(Exception):
    pass


class Job:
    """The agent inside `cordon sandbox linux`."""

    def __init__(self, cordon, top, world):
        user = pwd.getpwuid(world.uid)
        environment = {"HOME": user.pw_dir, "USER": user.pw_name, "PATH": "/usr/bin:/bin"}
        self.process = subprocess.Popen(
            [cordon, "sandbox", "linux", "--", "/usr/bin/python3", "-I", "-S",
             f"{top}/agent.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            cwd=world.work, env=environment, user=world.uid, group=world.gid, extra_groups=[])
        if self.process.stdout.readline() != "ready\n":
            raise Mismatch("the job did not start")

    def ask(self, requests):
        self.process.stdin.write(json.dumps(requests) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise Mismatch("the job ended by itself")
        return json.loads(line)

    def end(self):
        self.process.stdin.close()
        if self.process.wait(20) != 0:
            raise Mismatch(f"the job ended with {self.process.returncode}")

    def kill(self):
        """The service ends the job some time after its client is gone."""
        self.process.kill()
        self.process.wait(20)


def mechanism(cordon):
    """How decisions at access time are made here; ends with 77 if they are not."""
    report = json.loads(subprocess.run([cordon, "doctor", "--json"], capture_output=True, text=True,
                                       check=False).stdout)
    for check in report["findings"]:
        if check["name"] == "access-time decision":
            name = check["evidence"].split(":")[0]
            if check["state"] == "ok" and name in MECHANISMS:
                return name
            print(f"no decisions at access time here: {check['evidence']}")
            sys.exit(77)
    raise AssertionError("doctor does not tell the mechanism")
