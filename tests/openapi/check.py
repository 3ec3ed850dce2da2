"""Holds answers to the document: check.py DOCUMENT ANSWERS, both JSON. ANSWERS is a list of {"operation", "status",
"headers", "body"}. Stricter than the document is with others: what it does not name may not be there. Says each fault
on a line, and ends with 1 where there is one."""

import json
import sys

from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

METHODS = {"get", "post", "put", "patch", "delete", "head", "options", "trace"}


def close(schema):
    """Clients are to ignore fields that they do not know; the relay is to send none."""
    if isinstance(schema, dict):
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
        for value in schema.values():
            close(value)
    elif isinstance(schema, list):
        for value in schema:
            close(value)


def main(document, answers):
    faults = [f"the document: {error.message}" for error in OpenAPIV31SpecValidator(document).iter_errors()]
    if faults:
        return faults
    close(document["components"]["schemas"])
    registry = Registry().with_resource("urn:document", DRAFT202012.create_resource(document))

    def resolve(part):
        while "$ref" in part:
            kind, name = part["$ref"].removeprefix("#/components/").split("/")
            part = document["components"][kind][name]
        return part

    def valid(schema, value, what):
        # A reference is one into the document, wherever it stands.
        schema = json.loads(json.dumps(schema).replace('"#/', '"urn:document#/'))
        checker = Draft202012Validator(
            schema, registry=registry, format_checker=Draft202012Validator.FORMAT_CHECKER
        )
        for error in checker.iter_errors(value):
            yield f"{what}: {error.json_path}: {error.message[:300]}"

    operations = {}
    for path, item in document["paths"].items():
        for method in METHODS & item.keys():
            operations[item[method]["operationId"]] = item[method]
    good = set()
    for answer in answers:
        operation, status = answer["operation"], str(answer["status"])
        what = f"{operation}, {status}"
        responses = operations[operation]["responses"]
        if status not in responses:
            faults.append(f"{what}: no such answer, of {sorted(responses)}")
            continue
        if status < "300":
            good.add(operation)
        response = resolve(responses[status])
        for name, header in response.get("headers", {}).items():
            header = resolve(header)
            value = answer["headers"].get(name.lower())
            if value is None:
                if header.get("required"):
                    faults.append(f"{what}: the header {name} is missing")
                continue
            value = int(value) if header["schema"].get("type") == "integer" and value.isdigit() else value
            faults += valid(header["schema"], value, f"{what}: {name}")
        content = response.get("content", {})
        kind = answer["headers"].get("content-type", "").split(";")[0]
        if not content:
            faults += [f"{what}: a body of {kind}"] if answer["body"] else []
        elif kind not in content:
            faults.append(f"{what}: {kind or 'nothing'} is not of {sorted(content)}")
        elif kind == "application/json":
            faults += valid(content[kind]["schema"], json.loads(answer["body"]), what)
    faults += [f"{operation}: never answered as it should" for operation in sorted(operations.keys() - good)]
    return faults


with open(sys.argv[1], encoding="utf-8") as told, open(sys.argv[2], encoding="utf-8") as came:
    FAULTS = main(json.load(told), json.load(came))
print(*FAULTS, sep="\n")
sys.exit(bool(FAULTS))
