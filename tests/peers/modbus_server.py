"""A Modbus TCP server by pymodbus, with the registers of tests/cases/peers/pm01-modbus.toml.

The counter of good capsules has 16 bits and starts shortly before its end; that of the infeed has its least
significant word first, and its low word overflows on the way.
"""

import asyncio
import sys

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from script import Script, count, obey, say

EXECUTE = 3
FIRST_GOOD = 65_300
FIRST_INFEED = 130_900


def image(script):
    """All registers as they are now."""
    infeed = FIRST_INFEED + script.infeed
    seconds = script.seconds
    return [
        EXECUTE,
        seconds & 0xFFFF,
        (seconds >> 16) & 0xFFFF,
        seconds & 0xFFFF,
        (FIRST_GOOD + script.good) & 0xFFFF,
        # The least significant word first.
        infeed & 0xFFFF,
        (infeed >> 16) & 0xFFFF,
        script.rejects & 0xFFFF,
    ]


async def main(port):
    script = Script()

    async def refresh(_code, _start, _address, _count, registers, _written):
        registers[:] = image(script)

    async def nothing_to_push():
        pass

    block = SimData(0, values=image(script), datatype=DataType.REGISTERS)
    server = ModbusTcpServer(SimDevice(1, simdata=[block], action=refresh), address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    say(f"port {server.transport.sockets[0].getsockname()[1]}")
    counting = asyncio.create_task(count(script, nothing_to_push))
    await obey(script, nothing_to_push)
    counting.cancel()
    await server.shutdown()


asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 0))
