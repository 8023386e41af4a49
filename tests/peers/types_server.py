"""A Modbus TCP server by pymodbus that holds every type in every order, and says what it holds.

First a line `port N`, then one of JSON: for each value its name, register, type, order and what it is.
The end of stdin ends the process.
"""

import asyncio
import json
import struct
import sys

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from script import say

ORDERS = {
    2: {"ABCD": "AB", "BADC": "BA"},
    4: {"ABCD": "ABCD", "CDAB": "CDAB", "BADC": "BADC", "DCBA": "DCBA"},
    8: {
        "ABCD": "ABCDEFGH",
        "CDAB": "GHEFCDAB",
        "BADC": "BADCFEHG",
        "DCBA": "HGFEDCBA",
        "EFGHABCD": "EFGHABCD",
        "CDABGHEF": "CDABGHEF",
        "FEHGBADC": "FEHGBADC",
        "DCBAHGFE": "DCBAHGFE",
    },
}
VALUES = {
    "u16": (">H", [0, 65_535, 0x1234]),
    "i16": (">h", [-1, -32_768, 12_345]),
    "u32": (">I", [0, 4_294_967_295, 305_419_896]),
    "i32": (">i", [-2, -2_147_483_648, 2_147_483_647]),
    "u64": (">Q", [1, 9_007_199_254_740_991, 72_623_859_790_382_856]),
    "i64": (">q", [-3, -9_007_199_254_740_991, 72_623_859_790_382_856]),
    "f32": (">f", [1.5, -0.15625, 6_500.25]),
    "f64": (">d", [100.25, -2.5, 123_456_789.015625]),
}


def all_values():
    """Registers, and what they hold."""
    registers, held = [], []

    def add(kind, order, raw, value):
        held.append(
            {
                "id": f"T{len(held)}.{kind}",
                "register": f"holding {len(registers)}",
                "type": kind,
                "order": order,
                "value": value,
            }
        )
        registers.extend(struct.unpack(f">{len(raw) // 2}H", raw))

    for kind, (layout, values) in VALUES.items():
        for value in values:
            raw = struct.pack(layout, value)
            for order, letters in ORDERS[len(raw)].items():
                add(kind, order, bytes(raw["ABCDEFGH".index(letter)] for letter in letters), value)
    for kind, digits in (("bcd16", "9081"), ("bcd32", "12345678")):
        raw = bytes.fromhex(digits)
        for order, letters in ORDERS[len(raw)].items():
            add(kind, order, bytes(raw["ABCD".index(letter)] for letter in letters), int(digits))
    add("text16", "ABCD", b"B2611-0417".ljust(16, b"\0"), "B2611-0417")
    add("text16", "BADC", exchanged("B2611-0417"), "B2611-0417")
    for bit in (0, 7, 15):
        add(f"bit{bit}", "ABCD", struct.pack(">H", 1 << bit), True)
    add("bits4-7", "ABCD", b"\xab\xcd", 0xC)
    return registers, held


def exchanged(text):
    """The bytes of a text, the two of each register exchanged."""
    raw = text.ljust(16).encode()
    return bytes(raw[i ^ 1] for i in range(len(raw)))


async def main(port):
    registers, held = all_values()
    block = SimData(0, values=registers, datatype=DataType.REGISTERS)
    server = ModbusTcpServer(SimDevice(1, simdata=[block]), address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    say(f"port {server.transport.sockets[0].getsockname()[1]}")
    say(json.dumps(held))
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await server.shutdown()


asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 0))
