"""Reads the simulated plant as a plant would, with pymodbus and asyncua, and prints what it read as one JSON.

    plant_reader.py HOST MODBUS_PORT OPCUA_URL

The addresses are written down here once more, from the tag list and not from the maps.
"""

import asyncio
import json
import sys

from asyncua import Client, ua
from pymodbus.client import AsyncModbusTcpClient

NAMESPACE = "urn:tjt:caps:L1"

# Tag: unit, first register, kind, whether its least significant word comes first.
HOLDING = {
    "CF01.StrokeTotal": (1, 7, "UINT32", False),
    "CF01.Admin.ProdProcessedCount[0].AccCount": (1, 13, "INT32", False),
    "CF02.StrokeTotal": (12, 7, "UINT32", False),
    "PS02.InCount": (2, 102, "UINT32", True),
    "PS02.GoodCount": (2, 104, "UINT32", True),
    "PS02.Rej.Halves": (2, 107, "UINT16", False),
    "CW04.Statistic.TotalPackages.ItemCount": (4, 202, "UINT32", False),
    "CW04.MasterTotal": (4, 224, "UINT64", False),
    "CW04.Mean": (4, 212, "FLOAT32", False),
    "CF01.PlcClock": (1, 42, "UINT64", False),
    "BC05.Admin.ProdConsumedCount[0].AccCount": (5, 302, "INT32", False),
    "BC05.GoodBottles": (5, 314, "INT32", False),
}
INPUT = {
    "MD03.RejEvents": (3, 2, "UINT16", False),
    "MD03.TestEvents": (3, 3, "UINT16", False),
}
# Text: unit, first register, registers of two characters each.
TEXT = {
    "CF01.BatchId": (1, 31, 8),
}


async def modbus(host, port):
    client = AsyncModbusTcpClient(host, port=port)
    if not await client.connect():
        raise SystemExit("no Modbus server")
    read = {}
    for table, tags in ((client.read_holding_registers, HOLDING), (client.read_input_registers, INPUT)):
        for tag, (unit, first, kind, low_first) in tags.items():
            kind = client.DATATYPE[kind]
            answer = await table(first, count=kind.value[1], device_id=unit)
            if answer.isError():
                raise SystemExit(f"{tag}: {answer}")
            order = "little" if low_first else "big"
            read[tag] = client.convert_from_registers(answer.registers, kind, word_order=order)
    for tag, (unit, first, count) in TEXT.items():
        answer = await client.read_holding_registers(first, count=count, device_id=unit)
        if answer.isError():
            raise SystemExit(f"{tag}: {answer}")
        text = client.convert_from_registers(answer.registers, client.DATATYPE.STRING)
        read[tag] = text.rstrip("\0 ")
    client.close()
    return read


async def variables(node, found):
    """All variables below a folder, with their identifiers."""
    for child in await node.get_children():
        if await child.read_node_class() == ua.NodeClass.Variable:
            found[child.nodeid.Identifier] = child
        else:
            await variables(child, found)


async def opcua(url):
    async with Client(url) as client:
        index = await client.get_namespace_index(NAMESPACE)
        found = {}
        for folder in await client.nodes.objects.get_children():
            if folder.nodeid.NamespaceIndex == index:
                await variables(folder, found)
        names = list(found)
        values = await client.read_values([found[name] for name in names])
        return dict(zip(names, values))


async def main(host, port, url):
    print(json.dumps({"modbus": await modbus(host, port), "opcua": await opcua(url)}))


asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
