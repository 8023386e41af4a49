"""An OPC UA server by asyncua, with the nodes of tests/cases/peers/po01-opcua.toml.

Every node is written up to a hundred times a second, far more often than the client is told of it. The counters of
good capsules (32 bits) and of rejects (16 bits) start shortly before their ends.

With a folder of certificates (tests/cases/pki) as second argument it takes encrypted sessions alone, of the client
`own`, and of the user `edge` with a password or the user certificate.
"""

import asyncio
import logging
import sys
from datetime import datetime, timezone
from pathlib import Path

from asyncua import Server, ua
from asyncua.common.structures104 import new_struct, new_struct_field
from asyncua.common.utils import ServiceError
from asyncua.crypto.permission_rules import User, UserRole
from cryptography.hazmat.primitives import serialization

from script import Script, count, obey, say

NAMESPACE = "urn:capline:peer"
EXECUTE = 3
FIRST_GOOD = 4_294_967_000
FIRST_INFEED = 900_000
FIRST_REJECTS = 65_530


class Users:
    """Whoever is `edge`, by password or by certificate."""

    def __init__(self, certificate):
        self._certificate = certificate

    def get_user(self, iserver, username=None, password=None, certificate=None):
        known = (username == "edge" and password == "s3cret") or (certificate and certificate == self._certificate)
        return User(role=UserRole.User, name="edge") if known else None


async def secure(server, pki):
    """Takes the client `own` only, encrypted."""
    await server.load_certificate(pki / "plc.der")
    await server.load_private_key(pki / "plc.key.pem")
    await server.set_application_uri("urn:capline:test:plc")
    server.set_security_policy([ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt])
    server.set_identity_tokens([ua.UserNameIdentityToken, ua.X509IdentityToken])
    own = (pki / "own.der").read_bytes()

    async def validate(certificate, _application):
        if certificate.public_bytes(serialization.Encoding.DER) != own:
            raise ServiceError(ua.StatusCodes.BadCertificateUntrusted)

    server.set_certificate_validator(validate)


async def main(port, pki):
    script = Script()
    server = Server(user_manager=Users((pki / "user.der").read_bytes())) if pki else Server()
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}")
    if pki:
        await secure(server, pki)
    else:
        server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    index = await server.register_namespace(NAMESPACE)

    async def node(name, kind):
        return await server.nodes.objects.add_variable(ua.NodeId(name, index), name, ua.Variant(0, kind))

    unsigned16, unsigned32 = ua.VariantType.UInt16, ua.VariantType.UInt32
    nodes = {
        "state": (await node("PO01.State", unsigned16), unsigned16),
        "heartbeat": (await node("PO01.Heartbeat", unsigned16), unsigned16),
        "good": (await node("PO01.Good", unsigned32), unsigned32),
        "infeed": (await node("PO01.Infeed", unsigned32), unsigned32),
        "rejects": (await node("PO01.Rejects", unsigned16), unsigned16),
    }

    # The same counters once more, as an element of an array and as fields of a structure.
    lane = await new_struct(
        server,
        index,
        "Lane",
        [new_struct_field("Infeed", unsigned32), new_struct_field("Rejects", unsigned16)],
    )
    await server.load_data_type_definitions()
    array = await node("PO01.Array", unsigned32)
    structure = await server.nodes.objects.add_variable(
        ua.NodeId("PO01.Lane", index), "PO01.Lane", ua.Lane(), datatype=lane[0].nodeid
    )

    async def show():
        values = {
            "state": EXECUTE,
            "heartbeat": script.seconds & 0xFFFF,
            "good": (FIRST_GOOD + script.good) & 0xFFFF_FFFF,
            "infeed": FIRST_INFEED + script.infeed,
            "rejects": (FIRST_REJECTS + script.rejects) & 0xFFFF,
        }
        now = datetime.now(timezone.utc)
        for name, value in values.items():
            variable, kind = nodes[name]
            await variable.write_value(ua.DataValue(ua.Variant(value, kind), SourceTimestamp=now))
        elements = ua.Variant([0, values["good"], 0], unsigned32)
        await array.write_value(ua.DataValue(elements, SourceTimestamp=now))
        fields = ua.Variant(ua.Lane(Infeed=values["infeed"], Rejects=values["rejects"]))
        await structure.write_value(ua.DataValue(fields, SourceTimestamp=now))

    await show()
    async with server:
        say(f"port {server.bserver.port}")
        counting = asyncio.create_task(count(script, show))
        await obey(script, show)
        counting.cancel()


logging.basicConfig(level=logging.ERROR)
port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
asyncio.run(main(port, Path(sys.argv[2]) if len(sys.argv) > 2 else None))
