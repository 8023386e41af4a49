#!/usr/bin/env python3
"""Writes the bill of materials of the plant build (no demo) as CycloneDX 1.5 JSON: every crate that is linked in, with
its licence and check sum, checked by the schema of CycloneDX. Usage: sbom.py OUTPUT.json."""

import json
import subprocess
import sys
import tomllib

TARGET = "x86_64-unknown-linux-gnu"


def metadata():
    command = ["cargo", "metadata", "--format-version=1", "--locked", "--no-default-features", "--filter-platform", TARGET]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def is_linked(dep):
    return any(kind["kind"] is None for kind in dep["dep_kinds"])


def linked(meta):
    """Ids of what is linked into the binary: dependencies that are neither for building nor for tests alone."""
    nodes = {node["id"]: node for node in meta["resolve"]["nodes"]}
    root = next(p["id"] for p in meta["packages"] if p["name"] == "capline")
    found, open_ = set(), [root]
    while open_:
        node = open_.pop()
        if node in found:
            continue
        found.add(node)
        for dep in nodes[node]["deps"]:
            if is_linked(dep):
                open_.append(dep["pkg"])
    return root, found, nodes


def reference(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def component(package, sums):
    licence = package.get("license")
    entry = {
        "type": "library",
        "bom-ref": reference(package),
        "name": package["name"],
        "version": package["version"],
        "purl": reference(package),
    }
    if licence:
        # An old way to write OR.
        entry["licenses"] = [{"expression": licence.replace("/", " OR ")}]
    if package.get("repository"):
        entry["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
    digest = sums.get((package["name"], package["version"]))
    if digest:
        entry["hashes"] = [{"alg": "SHA-256", "content": digest}]
    return entry


def bill():
    meta = metadata()
    root, found, nodes = linked(meta)
    with open("Cargo.lock", "rb") as file:
        lock = tomllib.load(file)
    sums = {(p["name"], p["version"]): p["checksum"] for p in lock["package"] if "checksum" in p}
    packages = {p["id"]: p for p in meta["packages"]}
    parts = sorted((packages[i] for i in found if i != root), key=lambda p: (p["name"], p["version"]))
    of = lambda i: sorted({reference(packages[d["pkg"]]) for d in nodes[i]["deps"] if is_linked(d)})
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {**component(packages[root], sums), "type": "application"}},
        "components": [component(p, sums) for p in parts],
        "dependencies": [{"ref": reference(packages[i]), "dependsOn": of(i)} for i in sorted(found)],
    }


def check(text):
    """Checks a text by the schema of CycloneDX, and that the check can fail."""
    try:
        from cyclonedx.schema import SchemaVersion
        from cyclonedx.validation.json import JsonStrictValidator
    except ImportError:
        sys.exit("the CycloneDX library is not there: tests/run.sh installs it into target/openapi")
    validator = JsonStrictValidator(SchemaVersion.V1_5)
    wrong = validator.validate_str(text)
    if wrong:
        sys.exit(f"the bill of materials is not what CycloneDX wants: {wrong}")
    if validator.validate_str(text.replace('"type": "library"', '"type": "lib"')) is None:
        sys.exit("a bill of materials with a mistake in it passed")


def main():
    made = bill()
    text = json.dumps(made, indent=1, sort_keys=True)
    check(text)
    names = {part["name"] for part in made["components"]}
    for needed in ("rustls", "rusqlite", "tokio", "domain"):
        if needed not in names:
            sys.exit(f"{needed} is missing in the bill of materials")
    if "simulators" in names:
        sys.exit("the simulated plant is in the bill of materials of a plant build")
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        file.write(text + "\n")
    print(f"{len(made['components'])} components in {sys.argv[1]}")


main()
