"""What both peers share: counters that are incremented by a script, and a control line on stdin.

`start` begins to count, `stop` ends it and prints what was counted as one line of JSON; the server serves on.
The end of stdin ends the process.
"""

import asyncio
import json
import sys
import time

STEP_S = 0.01
# Good capsules and rejects of each step, over and over: 0 to 9 capsules in 10 ms.
GOOD = (3, 0, 7, 1, 9, 4, 0, 0, 8, 5, 2, 6, 1, 9, 0, 3)
REJECTS = (0, 0, 1, 0, 0, 2, 0, 0, 0, 0, 1)


class Script:
    """Counters without end, and the seconds since the start."""

    def __init__(self):
        self.good = self.rejects = self.steps = 0
        self.running = False
        self._born = time.monotonic()

    @property
    def infeed(self):
        return self.good + self.rejects

    @property
    def seconds(self):
        return int(time.monotonic() - self._born)

    def step(self):
        """One step of the machine."""
        self.good += GOOD[self.steps % len(GOOD)]
        self.rejects += REJECTS[self.steps % len(REJECTS)]
        self.steps += 1

    def totals(self):
        """What was counted since the start."""
        return {"good": self.good, "rejects": self.rejects, "infeed": self.infeed, "steps": self.steps}


async def count(script, show):
    """Steps while the script runs; `show` puts the counters where clients see them."""
    while True:
        if script.running:
            script.step()
        await show()
        await asyncio.sleep(STEP_S)


async def obey(script, show):
    """Follows the control line until its end."""
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    while line := (await reader.readline()).decode().strip():
        match line:
            case "start":
                script.running = True
            case "stop":
                script.running = False
                await show()
                say(json.dumps(script.totals()))
            case _:
                raise SystemExit(f"{line!r} is no order; use start or stop")


def say(line):
    """One line for the test."""
    print(line, flush=True)
