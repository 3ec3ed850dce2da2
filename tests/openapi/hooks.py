"""What schemathesis is told about one relay: names of things that are there, so that not every request is of nothing;
and what it counts: how each operation was answered."""

import atexit
import json
import os
from collections import Counter

import schemathesis
from schemathesis.openapi.checks import IgnoredAuth

# Where each operation finds what it is about: {"getCall": {"call_sid": "CA…"}}.
NAMES = json.loads(os.environ["PARTYLINE_NAMES"])
# Where to put {"getCall": {"200": 12, …}}.
COUNTS = os.environ["PARTYLINE_COUNTS"]
# What the tool itself remembers of a run lies there too: one run knows nothing of another, and the tree stays as it is.
os.chdir(os.path.dirname(COUNTS))

METHODS = {"get", "post", "put", "patch", "delete"}
counts: dict[str, Counter] = {}


def known(schema, value, document):
    """The same schema, of which that one value is drawn often."""
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return {"anyOf": [{"type": "string", "enum": [value]}, schema]}


@schemathesis.hook
def before_load_schema(context, document):
    """Names what is there, in each operation by itself: what one of them ends is not what another reads."""
    components = document["components"]
    for item in document["paths"].values():
        shared = item.pop("parameters", [])
        for method in METHODS & item.keys():
            operation = item[method]
            names = NAMES.get(operation["operationId"], {})
            parameters = []
            for parameter in shared + operation.get("parameters", []):
                if "$ref" in parameter:
                    parameter = components["parameters"][parameter["$ref"].rsplit("/", 1)[1]]
                if parameter["name"] in names:
                    value = names[parameter["name"]]
                    schema = known(parameter["schema"], value, document)
                    parameter = {**parameter, "schema": schema, "example": value}
                parameters.append(parameter)
            operation["parameters"] = parameters
            for media in operation.get("requestBody", {}).get("content", {}).values():
                body = known_body(media["schema"], names, document)
                media["schema"] = body
                media["example"] = {**media["example"], **{k: v for k, v in names.items() if k in body["properties"]}}


def known_body(schema, names, document):
    body = dict(document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]])
    body["properties"] = {
        name: known(of, names[name], document) if name in names else of for name, of in body["properties"].items()
    }
    return body


@schemathesis.hook
def after_call(context, case, response):
    operation = case.operation.definition.raw.get("operationId", case.operation.label)
    if case.method.lower() == case.operation.method.lower():
        counts.setdefault(operation, Counter())[str(response.status_code)] += 1


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Whoever shows a wrong token again and again is told to wait: refused all the same."""
    return not (isinstance(failure, IgnoredAuth) and "got `429 " in failure.message)


@atexit.register
def tell():
    with open(COUNTS, "w", encoding="utf-8") as to:
        json.dump(counts, to)
